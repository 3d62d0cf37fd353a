package dev.plumb.store;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Makes file names from the names that users give. */
public final class FileNames {
  /** Letters, digits and these marks are kept. */
  private static final Pattern UNSAFE = Pattern.compile("[^\\p{L}\\p{N}._-]+");
  private static final Pattern NOT_ASCII = Pattern.compile("[^\\x00-\\x7f]+");

  /** In UTF-16 units. A unit takes at most 3 bytes of UTF-8, so 75 bytes of the 255 that a file name may have are left for an ending. */
  private static final int MAX_LENGTH = 60;

  private FileNames() {}

  /**
   * Returns the first part of a file name, to which a number and an ending are added. It is cut between two code points, and has
   * only characters that the file system can encode.
   *
   * @param fallback put before what is left of the name where that is nothing or begins with a dot
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

  /** Whether the file system has the characters: in an ASCII locale it has no others. */
  private static boolean isEncodable(String name) {
    try {
      Path.of(name);
      return true;
    } catch (InvalidPathException e) {
      return false;
    }
  }
}
