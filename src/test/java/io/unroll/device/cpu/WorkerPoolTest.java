package io.unroll.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WorkerPoolTest {
  @Test
  void everyPartRunsOnceInEveryJob() {
    for (int threads = 1; threads <= 4; threads++) {
      try (WorkerPool pool = new WorkerPool(threads)) {
        int[] runs = new int[37];
        int jobs = 5000;
        for (int job = 0; job < jobs; job++) {
          int parts = 1 + job % runs.length;
          // A plain increment: a part run twice, or unseen by the caller, gives another number.
          pool.run(parts, (part, worker) -> runs[part]++);
        }
        int[] expected = new int[runs.length];
        for (int job = 0; job < jobs; job++) {
          for (int part = 0; part <= job % runs.length; part++) {
            expected[part]++;
          }
        }
        assertArrayEquals(expected, runs, threads + " threads");
      }
    }
  }

  @Test
  void workersSleepAndWake() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(3)) {
      for (int job = 0; job < 20; job++) {
        Thread.sleep(5); // longer than they spin
        CountDownLatch both = new CountDownLatch(2);
        // Each part waits for the other one, so one thread alone cannot finish the job.
        pool.run(
            2,
            (part, worker) -> {
              both.countDown();
              try {
                assertTrue(both.await(20, TimeUnit.SECONDS), "no second thread came");
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
      }
    }
  }

  @Test
  void workerNumbersAreDistinctAtOneTime() {
    try (WorkerPool pool = new WorkerPool(3)) {
      java.util.concurrent.atomic.AtomicIntegerArray busy =
          new java.util.concurrent.atomic.AtomicIntegerArray(pool.threads());
      for (int job = 0; job < 500; job++) {
        pool.run(
            16,
            (part, worker) -> {
              assertEquals(1, busy.incrementAndGet(worker), "two parts share a scratch");
              Thread.onSpinWait();
              busy.decrementAndGet(worker);
            });
      }
    }
  }

  @Test
  void theLowestExceptionReachesTheCallerAndThePoolGoesOn() {
    try (WorkerPool pool = new WorkerPool(2)) {
      RuntimeException[] thrown = new RuntimeException[8];
      Arrays.setAll(thrown, i -> new IllegalArgumentException("part " + i));
      boolean[] ran = new boolean[8];
      for (int job = 0; job < 200; job++) {
        Arrays.fill(ran, false);
        RuntimeException caught =
            assertThrows(
                IllegalArgumentException.class,
                () ->
                    pool.run(
                        8,
                        (part, worker) -> {
                          ran[part] = true;
                          if (part >= 3) {
                            throw thrown[part];
                          }
                        }));
        assertSame(thrown[3], caught);
        for (boolean one : ran) {
          assertTrue(one, "a part did not run");
        }
        pool.run(8, (part, worker) -> ran[part] = false);
        assertFalse(ran[7]);
      }
    }
  }

  @Test
  void closeEndsTheThreads() {
    WorkerPool pool = new WorkerPool(3);
    pool.run(3, (part, worker) -> {});
    long id = pool.threadId(1);
    pool.close();
    pool.close();
    assertTrue(
        Thread.getAllStackTraces().keySet().stream().noneMatch(t -> t.getId() == id),
        "a worker is alive after close");
    assertThrows(IllegalStateException.class, () -> pool.run(2, (part, worker) -> {}));
  }
}
