package dev.plumb.store;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** File names derived from names that users choose. */
public final class FileNames {
  /** Characters that are replaced: all but letters, digits and a few marks. */
  private static final Pattern UNSAFE = Pattern.compile("[^\\p{L}\\p{N}._-]+");
  private static final Pattern NOT_ASCII = Pattern.compile("[^\\x00-\\x7f]+");

  /** Limit in UTF-16 units, each at most 3 bytes of UTF-8: of the 255 bytes of a file name, 75 are left for an ending. */
  private static final int MAX_LENGTH = 60;

  private FileNames() {}

  /**
   * Returns the first part of a file name, to which a number and an extension can be added. It is cut between code points and has
   * only characters that the file system can encode.
   *
   * @param name chosen by the user
   * @param fallback prefix when the rest of the name is empty or begins with a dot
   * @return at most 60 UTF-16 units, besides the fallback
   */
  public static String of(String name, String fallback) {
    String safe = cut(UNSAFE.matcher(name).replaceAll("_"));
    if (!isEncodable(safe)) {
      safe = NOT_ASCII.matcher(safe).replaceAll("_");
    }
    return safe.isEmpty() || safe.startsWith(".") ? fallback + safe : safe;
  }

  private static String cut(String text) {
    if (text.length() <= MAX_LENGTH) {
      return text;
    }
    boolean isWithinPair = Character.isHighSurrogate(text.charAt(MAX_LENGTH - 1));
    return text.substring(0, isWithinPair ? MAX_LENGTH - 1 : MAX_LENGTH);
  }

  /** Returns whether the file system can encode the characters; in an ASCII locale it can encode only ASCII. */
  private static boolean isEncodable(String name) {
    try {
      Path.of(name);
      return true;
    } catch (InvalidPathException e) {
      return false;
    }
  }
}
