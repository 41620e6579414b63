package io.unroll.train;

import io.unroll.data.SequenceBatch;
import io.unroll.data.SequenceDataset;
import io.unroll.nn.Tape;
import io.unroll.nn.Tensor;
import java.util.List;
import java.util.function.IntFunction;

/** Batches of a {@link SequenceDataset} and the loss that a model makes on them. */
public final class SequenceTask implements Task {
  /** A model and its loss. */
  @FunctionalInterface
  public interface Loss {
    /** Builds the loss of a batch on a tape whose step has begun; one element. */
    Tensor of(Tape tape, SequenceBatch batch);
  }

  private final SequenceDataset dataset;
  private final IntFunction<List<int[]>> orders;
  private final Loss loss;
  private List<int[]> order;
  private int orderedEpoch;

  /**
   * @param orders the batches of each epoch, always as many
   */
  private SequenceTask(SequenceDataset dataset, IntFunction<List<int[]>> orders, Loss loss) {
    this.dataset = dataset;
    this.orders = orders;
    this.loss = loss;
    this.order = orders.apply(0);
  }

  /**
   * Batches of sequences of similar length, in another order every epoch: for training.
   *
   * @param batch sequences in a batch
   * @param seed of the orders
   */
  public static SequenceTask shuffled(SequenceDataset dataset, int batch, long seed, Loss loss) {
    return new SequenceTask(dataset, epoch -> dataset.shuffled(batch, seed, epoch), loss);
  }

  /**
   * As {@link #shuffled}, but a batch is bounded by its steps, padding included, and not by its
   * rows: see {@link SequenceDataset#bucketed}.
   *
   * @param paddedSteps T*B of any batch at most
   * @param seed of the orders
   */
  public static SequenceTask bucketed(
      SequenceDataset dataset, int paddedSteps, long seed, Loss loss) {
    return new SequenceTask(dataset, epoch -> dataset.bucketed(paddedSteps, seed, epoch), loss);
  }

  /**
   * Batches in the order of the dataset: for validation.
   *
   * @param batch sequences in a batch
   */
  public static SequenceTask inOrder(SequenceDataset dataset, int batch, Loss loss) {
    List<int[]> once = dataset.inOrder(batch);
    return new SequenceTask(dataset, epoch -> once, loss);
  }

  @Override
  public int batchesPerEpoch() {
    return order.size();
  }

  @Override
  public Tensor loss(Tape tape, int epoch, int batchIndex) {
    if (epoch != orderedEpoch) {
      order = orders.apply(epoch);
      orderedEpoch = epoch;
    }
    return loss.of(tape, dataset.batch(order.get(batchIndex)));
  }
}
