/**
 * Data on its way to a network: {@link io.unroll.data.TextCorpus}, {@link
 * io.unroll.data.Vocabulary}, {@link io.unroll.data.SequenceBatcher} and {@link
 * io.unroll.data.TextProperty} for one long text of characters; {@link io.unroll.data.Rows} for
 * files of records, {@link io.unroll.data.TokenVocabulary} and {@link io.unroll.data.Scaling} for
 * what stands in them, and {@link io.unroll.data.SequenceDataset} and {@link
 * io.unroll.data.SequenceBatch} for the sequences. Host memory only.
 */
package io.unroll.data;
