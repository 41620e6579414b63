/**
 * The reference as a device: every kernel in float64 with plain loops, so that a whole model, from
 * its embedding to its optimizer, can be judged and its gradients checked. Made to be right, not
 * fast.
 */
package io.unroll.device.reference;
