package dev.plumb.check;

import dev.plumb.model.InvalidInputException;
import dev.plumb.model.NamedEnum;

/** What happens when a device and the reference disagree. */
public enum CheckMode implements NamedEnum {
  /** The first tensor out of bounds ends the run. */
  FAIL,
  /** The run goes on; every tensor is named when it is out of bounds for the first time. */
  REPORT,
  /** The run goes on; the errors are counted by decade, and nothing is said before the end. */
  HISTOGRAM;

  /** @throws InvalidInputException when there is no mode of that name; the message lists all */
  public static CheckMode of(String name) {
    return NamedEnum.parse(CheckMode.class, "mode", name);
  }
}
