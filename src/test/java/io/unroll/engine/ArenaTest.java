package io.unroll.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.device.Device;
import io.unroll.device.Span;
import org.junit.jupiter.api.Test;

class ArenaTest {
  @Test
  void sameRequestsGetTheSameSpans() {
    try (Backend backend = Backend.open("reference");
        Arena arena = new Arena(Device.of(backend), "test")) {
      Span first = arena.reals(100);
      Span second = arena.reals(7);
      Span integers = arena.ints(7);
      arena.reset();
      assertSame(first, arena.reals(100));
      assertSame(second, arena.reals(7));
      assertSame(integers, arena.ints(7));
      arena.reset();
      assertSame(first, arena.reals(100));
      assertNotSame(second, arena.reals(8));
    }
  }

  @Test
  void spansOfAStepNeverOverlapAndAGrownArenaIsOneChunkAgain() {
    try (Backend backend = Backend.open("reference");
        Arena arena = new Arena(Device.of(backend), "test")) {
      for (int round = 0; round < 3; round++) {
        Span previous = null;
        for (int i = 1; i < 40; i++) {
          Span span = arena.reals(1000L * (i % 5) + i + round);
          assertEquals(1000L * (i % 5) + i + round, span.length());
          if (previous != null && previous.buffer() == span.buffer()) {
            assertTrue(span.at() >= previous.at() + previous.length());
          }
          assertTrue(span.at() + span.length() <= span.buffer().length());
          previous = span;
        }
        arena.reset();
      }
      Span first = arena.reals(1000);
      assertSame(first.buffer(), arena.reals(70_000).buffer(), "the chunks were merged");
      long live = backend.liveBytes();
      arena.reset();
      arena.reals(1000);
      assertEquals(live, backend.liveBytes());
    }
  }
}
