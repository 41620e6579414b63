/**
 * The inner interface between the engine and a device: {@link io.unroll.device.Device} and its
 * buffers and kernels. Knows nothing of any vendor. docs/adding-a-backend.md tells how to add one.
 */
package io.unroll.device;
