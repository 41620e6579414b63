package io.unroll.train;

import io.unroll.CellSpec;
import io.unroll.ShapeException;
import io.unroll.data.Scaling;
import io.unroll.data.TokenVocabulary;
import io.unroll.nn.RecurrentConfig;
import java.util.List;

/**
 * What a {@link Model} is made of: what it reads, the recurrent layers, and what it tells.
 *
 * @param input what it reads
 * @param recurrent the layers; their inputSize is that of the input
 * @param output what it tells
 */
public record ModelConfig(Input input, RecurrentConfig recurrent, Output output) {

  /**
   * What a model reads: tokens or vectors; the part of the other is null.
   *
   * @param vocabulary of the tokens
   * @param embeddingSize numbers that stand for a token; 0 for one-hot vectors, and for vectors
   * @param scaling of the vectors
   */
  public record Input(TokenVocabulary vocabulary, int embeddingSize, Scaling scaling) {
    /** Checks that it is one of the two. */
    public Input {
      if ((vocabulary == null) == (scaling == null)) {
        throw new IllegalArgumentException(
            "a model reads either the tokens of a vocabulary or the vectors of a scaling");
      }
      if (embeddingSize < 0) {
        throw new IllegalArgumentException(
            "the embedding size must be at least 1, or 0 for one-hot, but is " + embeddingSize);
      }
    }

    /**
     * Tokens.
     *
     * @param embeddingSize numbers that stand for a token; 0 for one-hot vectors
     */
    public static Input tokens(TokenVocabulary vocabulary, int embeddingSize) {
      return new Input(vocabulary, embeddingSize, null);
    }

    /** Vectors, scaled and with missing numbers filled. */
    public static Input vectors(Scaling scaling) {
      return new Input(null, 0, scaling);
    }

    /** Whether it reads tokens. */
    public boolean hasTokens() {
      return vocabulary != null;
    }

    /** I: what the first recurrent layer reads at each step. */
    public int size() {
      return !hasTokens()
          ? scaling.inputSize()
          : embeddingSize == 0 ? vocabulary.size() : embeddingSize;
    }
  }

  /**
   * What a model tells, after the last step or at every step: a class, the next token, or numbers.
   *
   * @param everyStep whether it tells it at every step
   * @param classes the names of the classes in the order of their numbers; null if it tells
   *     something else
   * @param scaling of the numbers it tells; null if it tells something else
   */
  public record Output(boolean everyStep, List<String> classes, Scaling scaling) {
    /** Checks that it is one thing. */
    public Output {
      classes = classes == null ? null : List.copyOf(classes);
      if (classes != null && (scaling != null || classes.isEmpty())) {
        throw new IllegalArgumentException(
            "a model tells either classes, of which there is at least one, or numbers");
      }
      if (classes == null && scaling == null && !everyStep) {
        throw new IllegalArgumentException("a model tells the next token at every step");
      }
      if (scaling != null && scaling.marked()) {
        throw new IllegalArgumentException("only the inputs of a model can have marks");
      }
    }

    /** The class of a sequence. */
    public static Output classes(List<String> names) {
      return new Output(false, names, null);
    }

    /** The class of each step. */
    public static Output stepClasses(List<String> names) {
      return new Output(true, names, null);
    }

    /** The next token after each token: a language model. */
    public static Output nextToken() {
      return new Output(true, null, null);
    }

    /** Numbers for a sequence, such as the next values of a series. */
    public static Output values(Scaling scaling) {
      return new Output(false, null, scaling);
    }

    /** Numbers for each step. */
    public static Output stepValues(Scaling scaling) {
      return new Output(true, null, scaling);
    }

    /** Whether it is the next token of what the model reads. */
    public boolean isNextToken() {
      return classes == null && scaling == null;
    }
  }

  /**
   * Checks that the parts fit.
   *
   * @throws ShapeException if the layers do not read what the input gives
   * @throws IllegalArgumentException if the next token is told where none is read
   */
  public ModelConfig {
    if (recurrent.inputSize() != input.size()) {
      throw new ShapeException(
          "the recurrent layers read "
              + recurrent.inputSize()
              + " numbers a step, but the input has "
              + input.size());
    }
    if (output.isNextToken() && (!input.hasTokens() || recurrent.bidirectional())) {
      throw new IllegalArgumentException(
          "the next token needs tokens as input and layers in one direction; those in both have"
              + " already seen it");
    }
  }

  /**
   * One layer, forward in time, no dropout.
   *
   * @param hiddenSize H
   */
  public static ModelConfig of(Input input, CellSpec cell, int hiddenSize, Output output) {
    return new ModelConfig(input, RecurrentConfig.of(cell, input.size(), hiddenSize), output);
  }

  /** The same with another number of layers. */
  public ModelConfig withLayers(int count) {
    return new ModelConfig(input, recurrent.withLayers(count), output);
  }

  /** The same in both directions, or in one. */
  public ModelConfig withBidirectional(boolean both) {
    return new ModelConfig(input, recurrent.withBidirectional(both), output);
  }

  /** The same with another dropout, between layers and before the head, while training. */
  public ModelConfig withDropout(double p) {
    return new ModelConfig(input, recurrent.withDropout(p), output);
  }

  /** O: the numbers that the head gives, for a class its logits. */
  public int outputSize() {
    if (output.isNextToken()) {
      return input.vocabulary().size();
    }
    return output.classes() != null ? output.classes().size() : output.scaling().features();
  }
}
