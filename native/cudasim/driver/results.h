// The CUresult codes that this driver gives, by their numbers in CUDA 12.
#pragma once

namespace unroll {
namespace cudasim {

#define UNROLL_CUDASIM_RESULTS(F)                                                     \
  F(SUCCESS, 0, "no error")                                                           \
  F(INVALID_VALUE, 1, "invalid argument")                                             \
  F(OUT_OF_MEMORY, 2, "out of memory")                                                \
  F(NOT_INITIALIZED, 3, "initialization error")                                       \
  F(STUB_LIBRARY, 34, "CUDA driver is a stub library")                                \
  F(DEVICE_UNAVAILABLE, 46, "CUDA-capable device(s) is/are busy or unavailable")      \
  F(NO_DEVICE, 100, "no CUDA-capable device is detected")                             \
  F(INVALID_DEVICE, 101, "invalid device ordinal")                                    \
  F(INVALID_IMAGE, 200, "device kernel image is invalid")                             \
  F(INVALID_CONTEXT, 201, "invalid device context")                                   \
  F(NO_BINARY_FOR_GPU, 209, "no kernel image is available for execution on the device") \
  F(INVALID_PTX, 218, "a PTX JIT compilation failed")                                 \
  F(JIT_COMPILER_NOT_FOUND, 221, "PTX JIT compiler library not found")                \
  F(UNSUPPORTED_PTX_VERSION, 222, "the provided PTX was compiled with an unsupported toolchain") \
  F(FILE_NOT_FOUND, 301, "file not found")                                            \
  F(OPERATING_SYSTEM, 304, "OS call failed or operation not supported on this OS")    \
  F(INVALID_HANDLE, 400, "invalid resource handle")                                   \
  F(NOT_FOUND, 500, "named symbol not found")                                         \
  F(NOT_READY, 600, "device not ready")                                               \
  F(ILLEGAL_ADDRESS, 700, "an illegal memory access was encountered")                 \
  F(LAUNCH_OUT_OF_RESOURCES, 701, "too many resources requested for launch")          \
  F(LAUNCH_TIMEOUT, 702, "the launch timed out and was terminated")                   \
  F(CONTEXT_IS_DESTROYED, 709, "context is destroyed")                                \
  F(LAUNCH_FAILED, 719, "unspecified launch failure")                                 \
  F(COOPERATIVE_LAUNCH_TOO_LARGE, 720, "too many blocks in cooperative launch")       \
  F(NOT_SUPPORTED, 801, "operation not supported")                                    \
  F(SYSTEM_NOT_READY, 802, "system not yet initialized")                              \
  F(SYSTEM_DRIVER_MISMATCH, 803, "system has unsupported display driver / cuda driver combination") \
  F(COMPAT_NOT_SUPPORTED_ON_DEVICE, 804, "forward compatibility was attempted on non supported HW") \
  F(MPS_CONNECTION_FAILED, 805, "MPS client failed to connect to the MPS control daemon or the MPS server") \
  F(MPS_RPC_FAILURE, 806, "the remote procedural call between the MPS server and the MPS client failed") \
  F(MPS_SERVER_NOT_READY, 807, "MPS server is not ready to accept new MPS client requests") \
  F(MPS_MAX_CLIENTS_REACHED, 808, "the hardware resources required to create MPS client have been exhausted") \
  F(MPS_MAX_CONNECTIONS_REACHED, 809, "the hardware resources required to support device connections have been exhausted") \
  F(STREAM_CAPTURE_UNSUPPORTED, 900, "operation not permitted when stream is capturing") \
  F(STREAM_CAPTURE_INVALIDATED, 901, "operation failed due to a previous error during capture") \
  F(STREAM_CAPTURE_MERGE, 902, "operation would result in a merge of separate capture sequences") \
  F(STREAM_CAPTURE_UNMATCHED, 903, "capture was not ended in the same stream as it began") \
  F(STREAM_CAPTURE_UNJOINED, 904, "capturing stream has unjoined work")               \
  F(STREAM_CAPTURE_IMPLICIT, 906, "operation would make the legacy stream depend on a capturing blocking stream") \
  F(CAPTURED_EVENT, 907, "operation not permitted on an event last recorded in a capturing stream") \
  F(STREAM_CAPTURE_WRONG_THREAD, 908, "attempt to terminate a thread-local capture sequence from another thread") \
  F(INVALID_CLUSTER_SIZE, 912, "cluster misconfiguration")                            \
  F(UNKNOWN, 999, "unknown error")

enum Result : int {
#define UNROLL_CUDASIM_CODE(name, number, text) name = number,
  UNROLL_CUDASIM_RESULTS(UNROLL_CUDASIM_CODE)
#undef UNROLL_CUDASIM_CODE
};

// Null for a number that is none of these.
const char *nameOf(int result);
const char *textOf(int result);
// Whether a context that met it is lost.
bool isSticky(int result);

}  // namespace cudasim
}  // namespace unroll
