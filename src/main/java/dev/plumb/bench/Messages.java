package dev.plumb.bench;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A word that two threads hand each other to and fro, as fast as one core sees what another has written. It says how near to each
 * other the system has put them: cores with a cache in common answer several times as fast as those without.
 */
final class Messages {
  /** Turns of waiting awake before the processor is offered to others, who may have that of the other thread. */
  private static final int SPINS = 10_000;

  /** Words there and back each time: next to them it takes nothing to set threads to work. */
  static final int WORDS = 20_000;

  private final Crew crew;
  private final AtomicInteger word = new AtomicInteger();

  /** @param crew of two threads or more, of which two are used */
  Messages(Crew crew) {
    this.crew = crew;
  }

  void run(int times) {
    for (int time = 0; time < times; time++) {
      word.set(0);
      crew.run(thread -> {
        for (int i = 0; thread < 2 && i < WORDS; i++) {
          await(2 * i + thread);
          word.set(2 * i + thread + 1);
        }
      });
    }
  }

  private void await(int expected) {
    for (int spins = 1; word.get() != expected; spins++) {
      if (spins % SPINS == 0) {
        Thread.yield();
      }
    }
  }
}
