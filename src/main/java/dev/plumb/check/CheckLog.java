package dev.plumb.check;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** A log of checked steps that fails, reports or counts disagreements, depending on its mode. */
public final class CheckLog implements CheckListener {
  private final CheckMode mode;
  private final Consumer<String> warnings;
  private final ErrorHistogram errors = new ErrorHistogram();
  private final Set<String> warned = new HashSet<>();
  private long steps;
  private long wrong;
  private long skipped;
  private double largest = -1;
  private String whereLargest;
  private String firstWrong;

  /** @param warnings receives one line per warning during training */
  public CheckLog(CheckMode mode, Consumer<String> warnings) {
    this.mode = mode;
    this.warnings = warnings;
  }

  @Override
  public void checked(CheckedStep step, List<TensorCheck> tensors) {
    steps++;
    for (TensorCheck tensor : tensors) {
      errors.add(tensor.errors());
      skipped += tensor.skipped();
      if (tensor.units() > largest) {
        largest = tensor.units();
        whereLargest = step.describe(tensor);
      }
      switch (tensor.verdict()) {
        case WRONG -> wrong(step, tensor);
        case DIVERGED -> warnings.accept(place(step, tensor.replica()) + " diverged: " + tensor.tensor().name()
            + " is not finite on the device, and beyond its precision on the reference; it is no longer checked");
        case OK, NOT_CHECKED -> { }
      }
    }
  }

  private void wrong(CheckedStep step, TensorCheck tensor) {
    wrong++;
    if (firstWrong == null) {
      firstWrong = step.describe(tensor);
    }
    switch (mode) {
      case FAIL -> throw new CheckFailedException(firstWrong);
      case REPORT -> {
        String tensorOfNetwork = step.network().shape() + " " + step.network().activation().key() + " " + tensor.tensor().name();
        if (warned.add(tensorOfNetwork)) {
          warnings.accept(step.describe(tensor));
        }
      }
      case HISTOGRAM -> { }
    }
  }

  @Override
  public void notFinite(CheckedStep before, int replica) {
    warnings.accept(place(before, replica) + " is no longer finite before this step, and is not checked from here on; "
        + "check every step to see whether it diverged or the device is wrong");
  }

  private static String place(CheckedStep step, int replica) {
    return step.network().shape() + " " + step.network().activation().key() + ", step " + step.step()
        + ", replica " + replica;
  }

  public CheckMode mode() {
    return mode;
  }

  /** Returns the number of checked steps of all trainings; the replicas of a step count as one. */
  public long steps() {
    return steps;
  }

  /** Returns how often a tensor was out of bounds. */
  public long wrong() {
    return wrong;
  }

  /** Returns one line about the first tensor that was out of bounds. */
  public Optional<String> firstWrong() {
    return Optional.ofNullable(firstWrong);
  }

  /** Returns the errors of all compared elements. */
  public ErrorHistogram errors() {
    return errors;
  }

  /** Returns one line with the number of checked steps and the largest error. */
  public String summary() {
    String checked = steps + (steps == 1 ? " step" : " steps") + " checked against the reference";
    if (largest < 0) {
      return checked + ", nothing compared";
    }
    String skippedValues = skipped == 0 ? "" : ", " + skipped + " values skipped at kinks";
    if (wrong > 0) {
      return checked + skippedValues + ": " + wrong + (wrong == 1 ? " tensor" : " tensors") + " out of bounds; "
          + "the largest error: " + whereLargest;
    }
    return checked + skippedValues + ", all within bounds; the largest error: " + whereLargest;
  }
}
