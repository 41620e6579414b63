package io.unroll.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.unroll.Backend;
import io.unroll.CellSpec;
import io.unroll.RequiredBackendsTest;
import io.unroll.data.Vocabulary;
import io.unroll.nn.Sampling;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same weights and the same seed write the same text on every backend. */
class SampledTextTest {
  private static final String SYMBOLS = "\n abcdefghijklmnopqrstuvwxyz";
  private static final int LENGTH = 60;

  static Stream<String> judged() {
    return RequiredBackendsTest.judged();
  }

  /** Random weights, large enough for the model to have preferences. */
  private static CharRnn model(Backend backend, int embeddingSize) {
    CharRnn.Config config = new CharRnn.Config(CellSpec.LSTM, 19, 2, embeddingSize, 0);
    CharRnn model = new CharRnn(backend, Vocabulary.fromSymbols(SYMBOLS), config, 3);
    for (String name : model.parameters().names()) {
      float[] values = model.parameters().get(name).toFloats();
      for (int i = 0; i < values.length; i++) {
        values[i] *= name.startsWith("embedding") ? 1 : 4;
      }
      model.parameters().set(name, values);
    }
    return model;
  }

  private static String text(CharRnn model, String prime, Sampling sampling) {
    StringBuilder text = new StringBuilder();
    model.sample(prime, LENGTH, sampling, text::append);
    assertEquals(LENGTH, text.length());
    return text.toString();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("judged")
  void isTheOneOfTheReference(String name) {
    for (int embeddingSize : new int[] {0, 6}) {
      Set<String> texts = new HashSet<>();
      int settings = 0;
      try (Backend backend = Backend.open(name);
          Backend reference = Backend.open("reference");
          CharRnn model = model(backend, embeddingSize);
          CharRnn expected = model(reference, embeddingSize)) {
        for (Sampling sampling :
            new Sampling[] {
              Sampling.greedy(),
              Sampling.seeded(1),
              Sampling.seeded(2),
              new Sampling(0.4, 0, 3),
              new Sampling(3, 0, 4),
              new Sampling(1.5, 4, 5),
            }) {
          for (String prime : new String[] {"", "a text to go on from"}) {
            String text = text(expected, prime, sampling);
            assertEquals(text, text(model, prime, sampling), sampling + " after " + prime);
            texts.add(text);
            settings++;
          }
        }
      }
      assertEquals(settings, texts.size(), "different settings write different texts");
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("judged")
  void topKOfOneIsGreedyAndALengthIsAPrefix(String name) {
    try (Backend backend = Backend.open(name);
        CharRnn model = model(backend, 6)) {
      String greedy = text(model, "b", Sampling.greedy());
      assertEquals(greedy, text(model, "b", new Sampling(5, 1, 9)));
      String drawn = text(model, "b", Sampling.seeded(9));
      assertNotEquals(greedy, drawn);
      StringBuilder shorter = new StringBuilder();
      model.sample("b", 7, Sampling.seeded(9), shorter::append);
      assertEquals(drawn.substring(0, 7), shorter.toString());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("judged")
  void everyStepReadsWhatWasWrittenBefore(String name) {
    try (Backend backend = Backend.open(name);
        CharRnn model = model(backend, 6)) {
      String whole = text(model, "once", Sampling.greedy());
      for (int read : new int[] {1, 2, 30}) {
        StringBuilder rest = new StringBuilder();
        String prime = "once" + whole.substring(0, read);
        model.sample(prime, LENGTH - read, Sampling.greedy(), rest::append);
        assertEquals(whole.substring(read), rest.toString(), "after " + prime);
      }
    }
  }

  @Test
  void nanEndsTheText() {
    try (Backend backend = Backend.open("cpu");
        CharRnn model = model(backend, 6)) {
      float[] bias = new float[SYMBOLS.length()];
      Arrays.fill(bias, Float.NaN);
      model.parameters().set("head.bias", bias);
      for (Sampling sampling : new Sampling[] {Sampling.greedy(), Sampling.seeded(1)}) {
        assertThrows(
            TrainingDivergedException.class, () -> model.sample("", 3, sampling, text -> {}));
      }
    }
  }
}
