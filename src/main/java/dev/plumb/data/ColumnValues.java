package dev.plumb.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a column holds, row by row, in the width of the file it came from. */
sealed interface ColumnValues {
  int size();

  /** Numbers; a missing one is NaN. */
  sealed interface Numbers extends ColumnValues {
    double get(int row);

    /** Returns a number that is not missing as the name of a class or a category: as it was written, where that is known. */
    default String text(int row) {
      return Column.written(get(row));
    }
  }

  /** Of a column that could not be read. */
  record Unreadable(int size) implements ColumnValues {}

  /** Of an array that was read whole: every step-th of its cells from the first on. */
  record Picked(NumberArray.Cells cells, int first, int step, int size) implements Numbers {
    @Override
    public double get(int row) {
      return cells.number(first + row * step);
    }

    @Override
    public String text(int row) {
      return cells.text(first + row * step);
    }
  }

  /**
   * Numbers that grow while a file is read. Pieces are added and never copied, so that no moment needs them twice. How they were
   * written is kept where it is not how {@link Column#written} writes them, as with 007, 1.0 and 1e3: they may be names of classes.
   */
  final class Doubles implements Numbers {
    private static final int SHIFT = 13;
    private static final int PIECE = 1 << SHIFT;
    /** So that wide tables of few rows stay small: only the first piece starts short, and doubles. */
    private static final int FIRST = 64;
    /** A column of more different texts is one of measurements, whose texts are not kept. */
    static final int MAX_SPELLINGS = 4096;

    private double[][] pieces = {new double[FIRST]};
    private int size;
    /** The texts, null for a number that is written as usual; null while there is none other. */
    private Texts spellings;
    private boolean spellingsLost;
    private boolean digitsOnly = true;
    private boolean leadingZero;
    private boolean inexact;

    Doubles() {}

    /** @param missing numbers that are missing at the start */
    Doubles(int missing) {
      for (int row = 0; row < missing; row++) {
        add(Double.NaN);
      }
    }

    void add(double value) {
      int piece = size >> SHIFT;
      int at = size & (PIECE - 1);
      if (piece == pieces.length) {
        pieces = Arrays.copyOf(pieces, piece + piece / 2 + 1);
      }
      if (pieces[piece] == null) {
        pieces[piece] = new double[PIECE];
      } else if (at == pieces[piece].length) {
        pieces[piece] = Arrays.copyOf(pieces[piece], 2 * at);
      }
      pieces[piece][at] = value;
      size++;
    }

    void addMissing() {
      add(Double.NaN);
      if (spellings != null) {
        spellings.add(null);
      }
    }

    /** Adds a number with the text that it was read from. */
    void add(double value, char[] text, int offset, int length) {
      add(value);
      if (digitsOnly || !spellingsLost) {
        keep(value, text, offset, length);
      }
    }

    private void keep(double value, char[] text, int offset, int length) {
      boolean isDigits = NumberText.isDigits(text, offset, length);
      boolean usual = isDigits && length <= NumberText.EXACT_DIGITS ? length == 1 || text[offset] != '0'
          : NumberText.isUsual(text, offset, length, value);
      digitsOnly &= isDigits;
      leadingZero |= length > 1 && text[offset] == '0';
      inexact |= !usual && length > NumberText.EXACT_DIGITS;
      if (usual && spellings == null || spellingsLost) {
        return;
      }
      if (spellings == null) {
        spellings = new Texts();
        for (int row = 1; row < size; row++) {
          spellings.add(null);
        }
      }
      spellings.add(usual ? null : new String(text, offset, length));
      if (spellings.distinct() > MAX_SPELLINGS) {
        spellings = null;
        spellingsLost = true;
      }
    }

    boolean hasSpellings() {
      return spellings != null;
    }

    /** Whether there are too many texts for them to have been kept. */
    boolean hasLostSpellings() {
      return spellingsLost;
    }

    /** Whether they are names made of digits rather than numbers: some have leading zeros, or more digits than a double. */
    boolean areCodes() {
      return digitsOnly && (leadingZero || inexact);
    }

    @Override
    public String text(int row) {
      String text = spellings == null ? null : spellings.get(row);
      return text != null ? text : Numbers.super.text(row);
    }

    @Override
    public int size() {
      return size;
    }

    @Override
    public double get(int row) {
      return pieces[row >> SHIFT][row & (PIECE - 1)];
    }
  }

  /** Words that grow while a file is read, each distinct one kept once; a missing one is null. */
  final class Texts implements ColumnValues {
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<String> words = new ArrayList<>();
    private int[] rows = new int[64];
    private int size;

    void add(String word) {
      Integer number = numbers.get(word);
      if (number == null) {
        number = words.size();
        words.add(word);
        numbers.put(word, number);
      }
      if (size == rows.length) {
        rows = Arrays.copyOf(rows, size + size / 2);
      }
      rows[size++] = number;
    }

    int distinct() {
      return words.size();
    }

    @Override
    public int size() {
      return size;
    }

    String get(int row) {
      return words.get(rows[row]);
    }
  }
}
