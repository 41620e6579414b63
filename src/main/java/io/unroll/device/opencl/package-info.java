/**
 * Every device with an OpenCL 1.2 driver, through LWJGL: the only package that knows {@code
 * org.lwjgl}. The kernels are compiled from their text on the user's machine.
 */
package io.unroll.device.opencl;
