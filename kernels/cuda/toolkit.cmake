# Finds nvcc and enables CUDA, or leaves FRAGMEND_CUDA_FOUND off.
#
# CMake 3.25 asks a compiler for architectures that nvcc 13 no longer knows unless they are set, and
# does not know its C++20 flag, which CMakeLists.txt beside this file gives.
set(FRAGMEND_CUDA_FOUND OFF)
if(NOT CMAKE_CUDA_COMPILER)
    find_program(FRAGMEND_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda
        PATH_SUFFIXES bin)
    if(FRAGMEND_NVCC)
        set(CMAKE_CUDA_COMPILER ${FRAGMEND_NVCC})
    endif()
endif()
if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES ${FRAGMEND_CUDA_ARCHITECTURES})
endif()
if(FRAGMEND_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${FRAGMEND_CCACHE})
endif()
if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    set(FRAGMEND_CUDA_FOUND ON)
endif()
