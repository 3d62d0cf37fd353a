package dev.plumb.check;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;

/** The reaction when a device and the reference disagree. */
public enum CheckMode implements NamedEnum {
  /** The first tensor out of bounds ends the run. */
  FAIL,
  /** The run continues; each tensor is reported the first time that it is out of bounds. */
  REPORT,
  /** The run continues; errors are counted by powers of ten and reported at the end. */
  HISTOGRAM;

  /**
   * Returns the mode of a name.
   *
   * @throws InvalidInputException when there is no mode of that name; the message lists all
   */
  public static CheckMode of(String name) {
    return NamedEnum.parse(CheckMode.class, "mode", name);
  }
}
