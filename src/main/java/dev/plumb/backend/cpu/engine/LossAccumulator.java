package dev.plumb.backend.cpu.engine;

/**
 * A sum of loss terms, in double for both precisions, and a number of correct predictions. Reused, so that steps do not allocate.
 */
public final class LossAccumulator {
  private double sum;
  private double terms;
  private long correct;

  public void reset() {
    sum = 0;
    terms = 0;
    correct = 0;
  }

  /** Adds the sum of some terms, and their number. */
  public void add(double partialSum, double partialTerms) {
    sum += partialSum;
    terms += partialTerms;
  }

  /** Adds the terms of another accumulator, but not its correct predictions. */
  public void add(LossAccumulator other) {
    add(other.sum, other.terms);
  }

  public void addCorrect(long count) {
    correct += count;
  }

  /** Returns the mean over all terms. */
  public double loss() {
    return sum / terms;
  }

  public boolean isFinite() {
    return Double.isFinite(loss());
  }

  public long correct() {
    return correct;
  }
}
