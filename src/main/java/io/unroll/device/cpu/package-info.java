/**
 * The CPU backend: float32 in plain Java over all cores. {@link io.unroll.device.cpu.CpuProvider} is
 * its door; everything else is private to the package.
 */
package io.unroll.device.cpu;
