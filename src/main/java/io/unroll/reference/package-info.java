/**
 * The oracle that judges every backend: forward and back-propagation through time in float64, plain
 * loops, to be read beside docs/equations.md.
 *
 * <ul>
 *   <li>{@link io.unroll.reference.Cells}: the arithmetic of each cell, for one unit at one step
 *   <li>{@link io.unroll.reference.ReferenceRecurrence}: one layer in one direction
 *   <li>{@link io.unroll.reference.ReferenceNetwork}: layers and both directions
 *   <li>{@link io.unroll.reference.ReferenceAttention}: queries that look at a source
 *   <li>{@link io.unroll.reference.ReferenceLosses}, {@link
 *       io.unroll.reference.ReferenceOptimizers}: what stands around the network in training
 *   <li>{@link io.unroll.reference.Arithmetic}: the same loops as a float32, TF32 or BF16 machine
 *       would run them
 *   <li>{@link io.unroll.reference.Tolerance}: how far a result may lie from the oracle's
 * </ul>
 *
 * <p>It imports nothing that it judges: {@link io.unroll.CellSpec}, {@link io.unroll.Precision} and
 * {@code java.*} only. It is written to be read and is slow.
 */
package io.unroll.reference;
