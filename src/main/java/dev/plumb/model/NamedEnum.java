package dev.plumb.model;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Enum whose members have a key in options and files: relu, mse, adamw. Only enums implement it. */
public interface NamedEnum {
  /**
   * Returns the name of the enum constant.
   *
   * @return in upper case
   */
  String name();

  /**
   * Returns the key: the constant's name in lower case.
   *
   * @return as users write it
   */
  default String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * Returns the keys of all members.
   *
   * @param type of the enum
   * @param <E> the enum
   * @return in the order of declaration
   */
  static <E extends Enum<E> & NamedEnum> List<String> keys(Class<E> type) {
    return Arrays.stream(type.getEnumConstants()).map(NamedEnum::key).toList();
  }

  /**
   * Returns the member with a key.
   *
   * @param type of the enum
   * @param what the members are, for the message: "activation"
   * @param word the key
   * @param <E> the enum
   * @return the member
   * @throws InvalidInputException when no member has that key; the message suggests the nearest one and lists all
   */
  static <E extends Enum<E> & NamedEnum> E parse(Class<E> type, String what, String word) {
    for (E member : type.getEnumConstants()) {
      if (member.key().equals(word)) {
        return member;
      }
    }
    List<String> keys = keys(type);
    throw new InvalidInputException("unknown " + what + " \"" + Excerpt.of(word) + "\"" + Spelling.didYouMean(word, keys)
        + "; one of " + String.join(", ", keys));
  }
}
