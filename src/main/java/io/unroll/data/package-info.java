/**
 * Data on its way to a network: {@link io.unroll.data.TextCorpus}, {@link
 * io.unroll.data.Vocabulary}, {@link io.unroll.data.SequenceBatcher} and {@link
 * io.unroll.data.TextProperty} for text, {@link io.unroll.data.SequenceDataset} and {@link
 * io.unroll.data.SequenceBatch} for sequences of real vectors. Host memory only.
 */
package io.unroll.data;
