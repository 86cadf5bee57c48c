# Finds nvcc and enables CUDA, or leaves FRAGMEND_CUDA_FOUND off.
#
# CMake 3.25 asks a compiler for architectures that nvcc 13 no longer knows unless they are set.
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
    # CMake 3.25 takes CUDA's standard from CXX's, and for nvcc 13 knows no flag for C++20.
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
    find_package(CUDAToolkit REQUIRED)
    # Known to nvcc without asking; told for who compiles Thrust for a host.
    find_path(FRAGMEND_THRUST_INCLUDE thrust/version.h HINTS ${CUDAToolkit_INCLUDE_DIRS}
        PATH_SUFFIXES cccl)
    set(FRAGMEND_CUDA_FOUND ON)
endif()
