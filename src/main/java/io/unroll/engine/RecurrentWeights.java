package io.unroll.engine;

import io.unroll.device.Span;

/**
 * The parameters of one direction of one layer, or their gradients.
 *
 * @param inputHidden W_ih [G*H, I]
 * @param hiddenHidden W_hh [G*H, H]
 * @param inputBias b_ih [G*H]
 * @param hiddenBias b_hh [G*H]
 * @param unit weights of each unit's own [P*H], or null for a cell that has none
 */
public record RecurrentWeights(
    Span inputHidden, Span hiddenHidden, Span inputBias, Span hiddenBias, Span unit) {}
