/**
 * The CPU backend: float32 over all cores, by a native library or in plain Java. {@link
 * io.unroll.device.cpu.CpuProvider} is its door; everything else is private to the package.
 */
package io.unroll.device.cpu;
