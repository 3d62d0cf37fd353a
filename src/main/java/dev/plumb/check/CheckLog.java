package dev.plumb.check;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Collects what was checked, and acts on it as its mode says. */
public final class CheckLog implements CheckListener {
  private final CheckMode mode;
  private final Consumer<String> warnings;
  private final ErrorHistogram decades = new ErrorHistogram();
  private final Set<String> warned = new HashSet<>();
  private long steps;
  private long wrong;
  private long skipped;
  private double largest = -1;
  private String whereLargest;
  private String firstWrong;

  /** @param warnings takes lines for people, while training goes on */
  public CheckLog(CheckMode mode, Consumer<String> warnings) {
    this.mode = mode;
    this.warnings = warnings;
  }

  @Override
  public void checked(CheckedStep step, List<TensorCheck> tensors) {
    steps++;
    for (TensorCheck tensor : tensors) {
      decades.add(tensor.decades());
      skipped += tensor.skipped();
      if (tensor.units() > largest) {
        largest = tensor.units();
        whereLargest = step.describe(tensor);
      }
      switch (tensor.verdict()) {
        case WRONG -> wrong(step, tensor);
        case DIVERGED -> warnings.accept(place(step, tensor.replica()) + " diverged: " + tensor.tensor().name()
            + " is not finite on the device, nor within its precision on the reference; it is not checked any more");
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
        String once = step.network().shape() + " " + step.network().activation().key() + " " + tensor.tensor().name();
        if (warned.add(once)) {
          warnings.accept(step.describe(tensor));
        }
      }
      case HISTOGRAM -> { }
    }
  }

  @Override
  public void notFinite(CheckedStep before, int replica) {
    warnings.accept(place(before, replica) + " is not finite any more before this step, and is not checked from here on; "
        + "whether it diverged or the device went wrong shows when every step is checked");
  }

  private static String place(CheckedStep step, int replica) {
    return step.network().shape() + " " + step.network().activation().key() + ", step " + step.step()
        + ", replica " + replica;
  }

  public CheckMode mode() {
    return mode;
  }

  /** Steps that were checked, of all trainings; replicas do not count. */
  public long steps() {
    return steps;
  }

  /** Every tensor each time it was out of bounds. */
  public long wrong() {
    return wrong;
  }

  /** The first tensor that was out of bounds, in one line. */
  public Optional<String> firstWrong() {
    return Optional.ofNullable(firstWrong);
  }

  /** Of all elements that were compared. */
  public ErrorHistogram decades() {
    return decades;
  }

  /** One line: how much was checked, and the largest error. */
  public String summary() {
    String checked = steps + (steps == 1 ? " step" : " steps") + " checked against the reference";
    if (largest < 0) {
      return checked + ", nothing compared";
    }
    String leftOut = skipped == 0 ? "" : ", " + skipped + " values left out at kinks";
    if (wrong > 0) {
      return checked + leftOut + ": " + wrong + (wrong == 1 ? " tensor" : " tensors") + " out of bounds; the largest error: "
          + whereLargest;
    }
    return checked + leftOut + ", all within bounds; the largest error: " + whereLargest;
  }
}
