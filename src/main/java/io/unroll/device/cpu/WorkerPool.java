package io.unroll.device.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs the numbered parts of a task on the calling thread and on threads of its own. Whoever is free
 * takes the next part, so a worker that wakes late finds nothing left and holds nobody up. Which
 * thread runs a part must not matter to its result. Used by one caller at a time; a task must not run
 * another one.
 */
final class WorkerPool implements AutoCloseable {
  /** Work in numbered parts that may run at the same time. */
  interface Task {
    /**
     * Runs one part.
     *
     * @param part from 0 to the number of parts, exclusive
     * @param worker the thread that runs it, from 0 to {@link WorkerPool#threads()}, exclusive: names
     *     scratch memory that no other part uses meanwhile
     */
    void run(int part, int worker);
  }

  /** How often an idle thread looks for work before it parks; some tens of microseconds. */
  private static final int SPINS = 2000;

  private final Thread[] workers;
  private final Parking[] parkings;

  /** The number of the job in the upper half, its untaken parts in the lower. */
  private final AtomicLong ticket = new AtomicLong();

  private final AtomicInteger unfinished = new AtomicInteger();
  private final Object failureLock = new Object();

  // Written before the ticket of a job, left alone until all its parts are finished. A part can only
  // be taken by a compare-and-set of the ticket, so whoever has one has read this job's values.
  private Task task;
  private int parts;

  private volatile Thread waiter;
  private volatile boolean closed;
  private Throwable failure;
  private int failedPart;

  /** Whether a worker is parked or about to be; alone in its object so that it can be volatile. */
  private static final class Parking {
    volatile boolean parked;
  }

  /**
   * Starts the threads.
   *
   * @param threads how many threads compute, the caller included; at least 1
   */
  WorkerPool(int threads) {
    workers = new Thread[threads - 1];
    parkings = new Parking[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      int worker = i + 1;
      parkings[i] = new Parking();
      workers[i] = new Thread(() -> work(worker), "unroll-cpu-" + worker);
      workers[i].setDaemon(true);
      workers[i].start();
    }
  }

  /** How many threads compute, the caller included. */
  int threads() {
    return workers.length + 1;
  }

  /** The identifier of a thread that computes, for measurements; worker is at least 1. */
  long threadId(int worker) {
    return workers[worker - 1].getId();
  }

  /**
   * Runs all parts and returns when they are done. If parts throw, the others still run, and the
   * exception of the lowest part that threw is thrown here.
   */
  void run(int parts, Task task) {
    if (closed) {
      throw new IllegalStateException("the worker threads have been stopped");
    }
    if (parts <= 1 || workers.length == 0) {
      for (int part = 0; part < parts; part++) {
        task.run(part, 0);
      }
      return;
    }
    this.task = task;
    this.parts = parts;
    unfinished.set(parts);
    ticket.set(((ticket.get() >>> 32) + 1) << 32 | parts);
    for (int i = 0; i < workers.length && i < parts - 1; i++) {
      if (parkings[i].parked) {
        LockSupport.unpark(workers[i]);
      }
    }
    takeParts(0);
    awaitFinish();
    this.task = null;
    throwFailure();
  }

  private void work(int worker) {
    int idle = 0;
    while (!closed) {
      if (takeParts(worker)) {
        idle = 0;
      } else if (++idle < SPINS) {
        Thread.onSpinWait();
      } else {
        Parking parking = parkings[worker - 1];
        parking.parked = true;
        while ((int) ticket.get() == 0 && !closed) {
          LockSupport.park(this);
        }
        parking.parked = false;
        idle = 0;
      }
    }
  }

  private boolean takeParts(int worker) {
    boolean any = false;
    while (true) {
      long now = ticket.get();
      int untaken = (int) now;
      if (untaken == 0) {
        return any;
      }
      Task current = task;
      int part = parts - untaken;
      if (ticket.compareAndSet(now, now - 1)) {
        any = true;
        runPart(current, part, worker);
      }
    }
  }

  private void runPart(Task current, int part, int worker) {
    try {
      current.run(part, worker);
    } catch (Throwable e) {
      synchronized (failureLock) {
        if (failure == null || part < failedPart) {
          failure = e;
          failedPart = part;
        }
      }
    }
    if (unfinished.decrementAndGet() == 0 && worker != 0) {
      LockSupport.unpark(waiter);
    }
  }

  private void awaitFinish() {
    for (int i = 0; i < SPINS && unfinished.get() > 0; i++) {
      Thread.onSpinWait();
    }
    if (unfinished.get() > 0) {
      waiter = Thread.currentThread();
      while (unfinished.get() > 0) {
        LockSupport.park(this);
      }
      waiter = null;
    }
  }

  private void throwFailure() {
    Throwable thrown;
    synchronized (failureLock) {
      thrown = failure;
      failure = null;
    }
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown != null) {
      throw (RuntimeException) thrown; // a task declares no checked exception
    }
  }

  /** Stops the threads and waits until they have ended. A second call does nothing. */
  @Override
  public void close() {
    closed = true;
    boolean interrupted = false;
    for (Thread worker : workers) {
      LockSupport.unpark(worker);
      while (worker.isAlive()) {
        try {
          worker.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
