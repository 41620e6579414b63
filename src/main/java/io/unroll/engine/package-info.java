/**
 * Backpropagation through time for any cell on any device: matrix product, pointwise step, matrix
 * product. {@link io.unroll.engine.Kernels} launches, {@link io.unroll.engine.Arena} gives memory,
 * {@link io.unroll.engine.RecurrentPass} is one direction of one layer.
 */
package io.unroll.engine;
