/**
 * NVIDIA's GPUs by the CUDA driver, through JCuda: the only package that knows {@code jcuda}. The
 * kernels were compiled when Unroll was built.
 */
package io.unroll.device.cuda;
