// Marks what runs on the host and, when a CUDA compiler reads it, on the device as well.
#pragma once

#ifdef __CUDACC__
#define FRAGMEND_HD __host__ __device__
#else
#define FRAGMEND_HD
#endif
