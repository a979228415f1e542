// The CUDA driver, runtime and compiler, as far as CuPy calls them, on this machine's processor.
//
// A "device" is a number; its memory is host memory that is remembered to belong to it. Work is done when it is asked for:
// streams and events are names for what has happened already. A "cubin" is a shared library that the system's C++ compiler
// makes of the kernel's source and simt.h. What is not here is refused by refusals.cpp, which the build generates.

#include <cuda.h>
#include <cuda_runtime_api.h>

#include "counts.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <unistd.h>

namespace {

std::mutex lock;
thread_local int device = 0;
thread_local cudaError_t last_error = cudaSuccess;

struct Block {
    size_t size;
    int device;  // -1: pinned memory of the host
};
std::map<uintptr_t, Block> memory;

int number_of_devices() {
    static const int count = std::atoi(std::getenv("EMULATOR_DEVICES") ? std::getenv("EMULATOR_DEVICES") : "1");
    return count;
}

cudaError_t fail(cudaError_t error) { return last_error = error; }

const Block* block_of(const void* pointer) {
    auto it = memory.upper_bound(reinterpret_cast<uintptr_t>(pointer));
    if (it == memory.begin()) return nullptr;
    --it;
    return reinterpret_cast<uintptr_t>(pointer) < it->first + it->second.size ? &it->second : nullptr;
}

cudaError_t allocate(void** pointer, size_t size, int owner) {
    const size_t rounded = (size + 511) / 512 * 512 + 512;
    *pointer = std::aligned_alloc(512, rounded);
    if (!*pointer) return fail(cudaErrorMemoryAllocation);
    std::memset(*pointer, 0xA5, rounded);  // nobody may count on zeros
    std::lock_guard<std::mutex> guard(lock);
    memory[reinterpret_cast<uintptr_t>(*pointer)] = {size ? size : 1, owner};
    return cudaSuccess;
}

cudaError_t release(void* pointer) {
    if (!pointer) return cudaSuccess;
    {
        std::lock_guard<std::mutex> guard(lock);
        if (!memory.erase(reinterpret_cast<uintptr_t>(pointer))) return fail(cudaErrorInvalidValue);
    }
    std::free(pointer);
    return cudaSuccess;
}

// A copy "to the device" must reach a device's memory, and one "from the device" must come from there.
cudaError_t copy(void* to, const void* from, size_t size, cudaMemcpyKind kind) {
    std::lock_guard<std::mutex> guard(lock);
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    auto belongs = [](const void* p) { const Block* b = block_of(p); return b && b->device >= 0; };
    if (to_device != from_device) ++(to_device ? emulator_counts.to_device : emulator_counts.to_host);
    if (size && ((to_device && !belongs(to)) || (from_device && !belongs(from)))) return fail(cudaErrorInvalidValue);
    std::memmove(to, from, size);
    return cudaSuccess;
}

uintptr_t next_name() {
    static uintptr_t name = 16;
    std::lock_guard<std::mutex> guard(lock);
    return name += 16;
}

}  // namespace

extern "C" {

Counts emulator_counts;

// ------------------------------------------------------------------------------------------------ libcudart

const char* cudaGetErrorName(cudaError_t error) {
    return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : error == cudaErrorInvalidDevice ?
        "cudaErrorInvalidDevice" : error == cudaErrorInvalidValue ? "cudaErrorInvalidValue" : "cudaErrorNotSupported";
}
const char* cudaGetErrorString(cudaError_t error) {
    return error == cudaErrorMemoryAllocation ? "out of memory" : error == cudaErrorInvalidDevice ?
        "invalid device ordinal" : error == cudaErrorInvalidValue ? "invalid argument" : "operation not supported";
}
cudaError_t cudaGetLastError() { const cudaError_t error = last_error; last_error = cudaSuccess; return error; }
cudaError_t cudaDriverGetVersion(int* version) { *version = CUDART_VERSION; return cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* version) { *version = CUDART_VERSION; return cudaSuccess; }

cudaError_t cudaGetDeviceCount(int* count) { *count = number_of_devices(); return cudaSuccess; }
cudaError_t cudaGetDevice(int* which) { *which = device; return cudaSuccess; }
cudaError_t cudaSetDevice(int which) {
    if (which < 0 || which >= number_of_devices()) return fail(cudaErrorInvalidDevice);
    device = which;
    return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
    switch (attribute) {
        case cudaDevAttrComputeCapabilityMajor: *value = 9; break;
        case cudaDevAttrComputeCapabilityMinor: *value = 0; break;
        case cudaDevAttrMaxThreadsPerBlock: *value = 1024; break;
        case cudaDevAttrMaxSharedMemoryPerBlock: *value = 48 << 10; break;
        case cudaDevAttrMultiProcessorCount: *value = 4; break;
        case cudaDevAttrWarpSize: *value = 32; break;
        default: *value = 0;
    }
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* found, int which) {
    if (which < 0 || which >= number_of_devices()) return fail(cudaErrorInvalidDevice);
    std::memset(found, 0, sizeof *found);
    std::strcpy(found->name, "Emulated GPU");
    found->totalGlobalMem = size_t(4) << 30;
    found->sharedMemPerBlock = 48 << 10;
    found->warpSize = 32;
    found->maxThreadsPerBlock = 1024;
    found->maxThreadsDim[0] = found->maxThreadsDim[1] = 1024;
    found->maxThreadsDim[2] = 64;
    found->maxGridSize[0] = INT32_MAX;
    found->maxGridSize[1] = found->maxGridSize[2] = 65535;
    found->major = 9;
    found->multiProcessorCount = 4;
    found->maxThreadsPerMultiProcessor = 2048;
    return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* id, int size, int which) { std::snprintf(id, size, "0000:%02x:00.0", which); return cudaSuccess; }
// No device reads another's memory by itself: what CuPy would do silently then is an error here.
cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) { *can = 0; return cudaSuccess; }

cudaError_t cudaMalloc(void** pointer, size_t size) { return allocate(pointer, size, device); }
cudaError_t cudaMallocAsync(void** pointer, size_t size, cudaStream_t) { return allocate(pointer, size, device); }
cudaError_t cudaMallocManaged(void** pointer, size_t size, unsigned) { return allocate(pointer, size, device); }
cudaError_t cudaHostAlloc(void** pointer, size_t size, unsigned) { return allocate(pointer, size, -1); }
cudaError_t cudaFree(void* pointer) { return release(pointer); }
cudaError_t cudaFreeAsync(void* pointer, cudaStream_t) { return release(pointer); }
cudaError_t cudaFreeHost(void* pointer) { return release(pointer); }
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
    std::lock_guard<std::mutex> guard(lock);
    *free = *total = size_t(4) << 30;
    for (const auto& [_, block] : memory)
        if (block.device == device) *free -= block.size;
    return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t size, cudaMemcpyKind kind) { return copy(to, from, size, kind); }
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t size, cudaMemcpyKind kind, cudaStream_t) {
    return copy(to, from, size, kind);
}
cudaError_t cudaMemcpyPeer(void* to, int, const void* from, int, size_t size) { return copy(to, from, size, cudaMemcpyDeviceToDevice); }
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t size, cudaStream_t) {
    return copy(to, from, size, cudaMemcpyDeviceToDevice);
}
cudaError_t cudaMemset(void* pointer, int value, size_t size) { std::memset(pointer, value, size); return cudaSuccess; }
cudaError_t cudaMemsetAsync(void* pointer, int value, size_t size, cudaStream_t) { return cudaMemset(pointer, value, size); }
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* found, const void* pointer) {
    std::lock_guard<std::mutex> guard(lock);
    const Block* block = block_of(pointer);
    std::memset(found, 0, sizeof *found);
    found->type = !block ? cudaMemoryTypeUnregistered : block->device < 0 ? cudaMemoryTypeHost : cudaMemoryTypeDevice;
    found->device = block && block->device >= 0 ? block->device : 0;
    found->devicePointer = found->hostPointer = const_cast<void*>(pointer);
    return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) { *stream = reinterpret_cast<cudaStream_t>(next_name()); return cudaSuccess; }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) { return cudaStreamCreate(stream); }
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned, int) { return cudaStreamCreate(stream); }
cudaError_t cudaStreamGetFlags(cudaStream_t, unsigned* flags) { *flags = 0; return cudaSuccess; }
cudaError_t cudaStreamGetPriority(cudaStream_t, int* priority) { *priority = 0; return cudaSuccess; }
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamQuery(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) { *status = cudaStreamCaptureStatusNone; return cudaSuccess; }
cudaError_t cudaLaunchHostFunc(cudaStream_t, cudaHostFn_t call, void* data) { call(data); return cudaSuccess; }
cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t call, void* data, unsigned) {
    call(stream, cudaSuccess, data);
    return cudaSuccess;
}

using Instant = std::chrono::steady_clock::time_point;
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    *event = reinterpret_cast<cudaEvent_t>(new Instant(std::chrono::steady_clock::now()));
    return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, 0); }
cudaError_t cudaEventDestroy(cudaEvent_t event) { delete reinterpret_cast<Instant*>(event); return cudaSuccess; }
cudaError_t cudaEventQuery(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
    *reinterpret_cast<Instant*>(event) = std::chrono::steady_clock::now();
    return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
    *milliseconds = std::chrono::duration<float, std::milli>(*reinterpret_cast<Instant*>(end) - *reinterpret_cast<Instant*>(start)).count();
    return cudaSuccess;
}

// ------------------------------------------------------------------------------------------------ libcuda

struct EmulatedModule { void* library; };
struct EmulatedKernel { void (*entry)(const void*, void**); };
struct EmulatedLaunch { dim3 grid, block; size_t shared; };

CUresult cuGetErrorName(CUresult error, const char** text) {
    *text = error == CUDA_ERROR_NOT_FOUND ? "CUDA_ERROR_NOT_FOUND" : "CUDA_ERROR";
    return CUDA_SUCCESS;
}
CUresult cuGetErrorString(CUresult error, const char** text) {
    *text = error == CUDA_ERROR_NOT_FOUND ? "named symbol not found" : "the emulated driver failed";
    return CUDA_SUCCESS;
}
CUresult cuCtxGetCurrent(CUcontext* context) { *context = reinterpret_cast<CUcontext>(uintptr_t(device) + 1); return CUDA_SUCCESS; }
CUresult cuCtxSetCurrent(CUcontext) { return CUDA_SUCCESS; }
CUresult cuCtxGetDevice(CUdevice* which) { *which = device; return CUDA_SUCCESS; }
CUresult cuStreamGetCtx(CUstream, CUcontext* context) { return cuCtxGetCurrent(context); }

CUresult cuModuleLoadData(CUmodule* module, const void* image) {
    uint64_t size;
    std::memcpy(&size, static_cast<const char*>(image) + 8, sizeof size);
    char path[] = "/tmp/emulator_XXXXXX";  // a name of its own: the loader takes one name for one library
    const int file = mkstemp(path);
    for (uint64_t done = 0; done < size;) {
        const ssize_t n = write(file, static_cast<const char*>(image) + 16 + done, size - done);
        if (n <= 0) return CUDA_ERROR_OUT_OF_MEMORY;
        done += n;
    }
    close(file);
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    unlink(path);
    if (!library) {
        std::fprintf(stderr, "emulator: %s\n", dlerror());
        return CUDA_ERROR_INVALID_IMAGE;
    }
    *module = reinterpret_cast<CUmodule>(new EmulatedModule{library});
    return CUDA_SUCCESS;
}
CUresult cuModuleUnload(CUmodule) { return CUDA_SUCCESS; }
CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
    void* entry = dlsym(reinterpret_cast<EmulatedModule*>(module)->library, (std::string("launch_") + name).c_str());
    if (!entry) return CUDA_ERROR_NOT_FOUND;
    *function = reinterpret_cast<CUfunction>(new EmulatedKernel{reinterpret_cast<void (*)(const void*, void**)>(entry)});
    return CUDA_SUCCESS;
}
CUresult cuLaunchKernel(CUfunction function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                        unsigned shared, CUstream, void** parameters, void**) {
    if (!gx || !gy || !gz || !bx || !by || !bz || gx > INT32_MAX || gy > 65535 || gz > 65535 || bx * by * bz > 1024 ||
        shared > (48 << 10))
        return CUDA_ERROR_INVALID_VALUE;
    static std::mutex one_at_a_time;
    std::lock_guard<std::mutex> guard(one_at_a_time);
    const Busy busy;
    ++emulator_counts.launches;
    const EmulatedLaunch launch{dim3(gx, gy, gz), dim3(bx, by, bz), shared};
    reinterpret_cast<EmulatedKernel*>(function)->entry(&launch, parameters);
    return CUDA_SUCCESS;
}
CUresult cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction) {
    *value = attribute == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK ? 1024 : 0;
    return CUDA_SUCCESS;
}
CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute, int) { return CUDA_SUCCESS; }
CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction, int, size_t) { *blocks = 2; return CUDA_SUCCESS; }
CUresult cuOccupancyMaxPotentialBlockSize(int* grid, int* block, CUfunction, CUoccupancyB2DSize, size_t, int) {
    *grid = 4;
    *block = 256;
    return CUDA_SUCCESS;
}

// ------------------------------------------------------------------------------------------------ libnvrtc

struct Program {
    std::string source, log, cubin;
    std::vector<std::string> expressions;
    std::map<std::string, std::string> lowered;
};

const char* nvrtcGetErrorString(int status) { return status ? "NVRTC_ERROR_COMPILATION" : "NVRTC_SUCCESS"; }
int nvrtcVersion(int* major, int* minor) { *major = 13; *minor = 0; return 0; }
int nvrtcGetNumSupportedArchs(int* count) { *count = 1; return 0; }
int nvrtcGetSupportedArchs(int* archs) { archs[0] = 90; return 0; }
int nvrtcCreateProgram(Program** program, const char* source, const char*, int, const char* const*, const char* const*) {
    *program = new Program{source, {}, {}, {}, {}};
    return 0;
}
int nvrtcDestroyProgram(Program** program) { delete *program; *program = nullptr; return 0; }
int nvrtcAddNameExpression(Program* program, const char* expression) { program->expressions.push_back(expression); return 0; }
int nvrtcGetLoweredName(Program* program, const char* expression, const char** name) {
    *name = program->lowered[expression].c_str();
    return 0;
}

int nvrtcCompileProgram(Program* program, int count, const char* const* options) {
    static const std::regex dynamic(R"(extern\s+__shared__\s+([\w:<>, ]+?)\s+(\w+)\s*\[\s*\]\s*;)");
    static const std::regex kernel(R"(extern\s+"C"\s+__global__\s+void\s+(?:__launch_bounds__\s*\([^)]*\)\s*)?(\w+)\s*\()");
    static const std::regex waiting(R"(__sync(threads|warp)|__shfl|__ballot_sync|__any_sync|__all_sync)");
    std::string source = std::regex_replace(program->source, dynamic,
                                            "$1* $2 = reinterpret_cast<$1*>(emulator::dynamic_shared);");
    const std::string waits = std::regex_search(source, waiting) ? "true" : "false";
    std::ostringstream entries;
    auto entry = [&](const std::string& name, const std::string& expression) {
        entries << "\nextern \"C\" void launch_" << name << "(const void* how, void** values) {\n    emulator::launch(" << expression
                << ", how, " << waits << ", values);\n}\n";
    };
    for (std::sregex_iterator it(source.begin(), source.end(), kernel), end; it != end; ++it) entry((*it)[1], (*it)[1]);
    for (const std::string& expression : program->expressions) {
        const std::string name = "expression_" + std::to_string(program->lowered.size());
        program->lowered[expression] = name;
        entry(name, expression);
    }
    char folder[] = "/tmp/emulator_XXXXXX";
    if (!mkdtemp(folder)) return 1;
    const std::string base = folder;
    std::ofstream(base + "/kernel.cpp") << source << entries.str();
    // EMULATOR_COMPILER is "<compiler> <its options>", which the header was precompiled with.
    std::string command = std::string(std::getenv("EMULATOR_COMPILER")) + " -shared";
    for (int k = 0; k < count; ++k) {
        const std::string option = options[k];
        if (option.rfind("-I", 0) == 0 || option.rfind("-D", 0) == 0) command += " '" + option + "'";
    }
    command += " " + base + "/kernel.cpp -o " + base + "/kernel.so 2> " + base + "/log";
    const int status = std::system(command.c_str());
    auto contents = [](const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    program->log = contents(base + "/log");
    const std::string library = contents(base + "/kernel.so");
    if (!std::getenv("EMULATOR_KEEP")) std::system(("rm -r " + base).c_str());
    if (status) return 6;
    const uint64_t size = library.size();
    program->cubin = std::string("EMULATED") + std::string(reinterpret_cast<const char*>(&size), 8) + library;
    return 0;
}
int nvrtcGetCUBINSize(Program* program, size_t* size) { *size = program->cubin.size() + 1; return 0; }
int nvrtcGetCUBIN(Program* program, char* to) { std::memcpy(to, program->cubin.c_str(), program->cubin.size() + 1); return 0; }
// CuPy reads the comments of an empty program's assembly, to know the compiler.
const char assembly[] = "// emulated\n";
int nvrtcGetPTXSize(Program*, size_t* size) { *size = sizeof assembly; return 0; }
int nvrtcGetPTX(Program*, char* to) { std::memcpy(to, assembly, sizeof assembly); return 0; }
int nvrtcGetProgramLogSize(Program* program, size_t* size) { *size = program->log.size() + 1; return 0; }
int nvrtcGetProgramLog(Program* program, char* to) { std::memcpy(to, program->log.c_str(), program->log.size() + 1); return 0; }

}  // extern "C"
