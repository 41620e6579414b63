/**
 * Tensors, the tape that differentiates, and layers: {@link io.unroll.nn.Recurrent}, {@link
 * io.unroll.nn.Attention}, {@link io.unroll.nn.Linear}, {@link io.unroll.nn.Embedding}, losses,
 * {@link io.unroll.nn.GradientCheck} to prove a model's gradients, and {@link
 * io.unroll.nn.Activations} to see what its units do.
 */
package io.unroll.nn;
