package dev.plumb.model;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A member of a closed set that users name by a fixed word, in options and in files: relu, mse, adamw. For enums alone. */
public interface NamedEnum {
  /** The enum's own. */
  String name();

  /** The word: the enum member's name in lower case. */
  default String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The words of all members, in the order of their declaration. */
  static <E extends Enum<E> & NamedEnum> List<String> keys(Class<E> type) {
    return Arrays.stream(type.getEnumConstants()).map(NamedEnum::key).toList();
  }

  /**
   * The member that a word names.
   *
   * @param what what the set holds, for the message: "activation"
   * @throws InvalidInputException when no member has that word; the message names the nearest one and lists all
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
