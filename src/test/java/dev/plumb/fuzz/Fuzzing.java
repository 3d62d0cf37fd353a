package dev.plumb.fuzz;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.plumb.model.InvalidInputException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.Random;
import java.util.function.Function;

/**
 * Gives a reader many inputs, and lets nothing but results and refusals through: no other exception, no error, and no input that
 * takes seconds. A normal run gives each reader some thousand inputs, and fewer on a busy machine; {@code -Dplumb.fuzz.inputs=N}
 * gives it N, however long that takes, and {@code -Dplumb.fuzz.seed=SEED} others.
 */
public final class Fuzzing {
  /** Reads an input, and does with the result what a command would. */
  @FunctionalInterface
  public interface Reader {
    void read(byte[] input, Random random) throws Exception;
  }

  /** For one reader, in a normal run. */
  private static final double USUAL_SECONDS = 2.5;
  /** Far above what the slowest input takes. */
  private static final double MAX_SECONDS = 5;
  /** Of an input in a message. */
  private static final int MAX_SHOWN_BYTES = 600;
  private static final Integer INPUTS = Integer.getInteger("plumb.fuzz.inputs");
  private static final long SEED = Long.getLong("plumb.fuzz.seed", 1);

  /** Of so many inputs some are read and some are refused. */
  private static final int MIN_TELLING = 500;

  private final String name;
  private final Reader reader;
  private int results;
  private double slowest;

  private Fuzzing(String name, Reader reader) {
    this.name = name;
    this.reader = reader;
  }

  /**
   * Runs one reader.
   *
   * @param usual number of inputs in a normal run
   * @param inputs makes an input from a generator, whose seed a failure tells
   */
  public static void run(String name, int usual, Function<Random, byte[]> inputs, Reader reader) {
    Fuzzing fuzzing = new Fuzzing(name, reader);
    int wanted = INPUTS == null ? usual : INPUTS;
    long start = System.nanoTime();
    int count = 0;
    while (count < wanted && (INPUTS != null || seconds(start) < USUAL_SECONDS)) {
      fuzzing.run(inputs.apply(new Random(SEED + count)), SEED + count);
      count++;
    }
    if (INPUTS != null) {
      System.out.printf(Locale.ROOT, "%s: %d inputs, %d results, %d refusals, %.0f s, slowest %.2f s%n", name, count,
          fuzzing.results, count - fuzzing.results, seconds(start), fuzzing.slowest);
    }
    assertTrue(count < MIN_TELLING || (fuzzing.results > 0 && fuzzing.results < count),
        name + ": " + fuzzing.results + " results of " + count + " inputs");
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  private void run(byte[] input, long seed) {
    double seconds = seconds(input, seed);
    if (seconds > MAX_SECONDS) {
      // The machine may have been busy with something else.
      seconds = seconds(input, seed);
      assertTrue(seconds <= MAX_SECONDS, () -> described(input, seed) + " takes more than " + MAX_SECONDS + " s");
    }
    slowest = Math.max(slowest, seconds);
  }

  private double seconds(byte[] input, long seed) {
    long start = System.nanoTime();
    try {
      reader.read(input, new Random(~seed));
      results++;
    } catch (InvalidInputException e) {
      assertFalse(e.getMessage().isBlank(), () -> described(input, seed) + " is refused without a word");
    } catch (Throwable e) {
      throw new AssertionError(described(input, seed) + ": " + e, e);
    }
    return seconds(start);
  }

  private String described(byte[] input, long seed) {
    byte[] shown = Arrays.copyOf(input, Math.min(input.length, MAX_SHOWN_BYTES));
    return name + ", plumb.fuzz.seed " + seed + ": the input of " + input.length + " bytes, in base64 "
        + Base64.getEncoder().encodeToString(shown) + (shown.length < input.length ? "..." : "");
  }
}
