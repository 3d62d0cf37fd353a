package dev.plumb.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Values of a column, row by row, in the width of the file they came from. */
sealed interface ColumnValues {
  int size();

  /** Releases the memory of rows up to to - 1, which will not be read again, as far as it can be; those up to from - 1 are. */
  default void discard(int from, int to) {}

  /** Returns the memory of a row in bytes, on average, as far as it is known: of the first rows once they are packed. */
  double width();

  /** Numbers; a missing value is NaN. */
  sealed interface Numbers extends ColumnValues {
    double get(int row);

    /** Returns a number that is not missing as the name of a class or category: as it was written, if that is known. */
    default String text(int row) {
      return Column.written(get(row));
    }
  }

  /** Placeholder for a column that could not be read. */
  record Unreadable(int size) implements ColumnValues {
    @Override
    public double width() {
      return 0;
    }
  }

  /** View of an array: every step-th of its cells, starting with the first. */
  record Picked(NumberArray.Cells cells, int first, int step, int size) implements Numbers {
    @Override
    public double get(int row) {
      return cells.number(first + row * step);
    }

    @Override
    public String text(int row) {
      return cells.text(first + row * step);
    }

    /** Returns the same numbers in cells of their own. */
    Picked copy() {
      return new Picked(cells.copy(first, step, size), 0, 1, size);
    }

    /** Releases the cells of all columns of the rows. */
    @Override
    public void discard(int from, int to) {
      if (step > 1) {
        cells.discard(from * step, Math.min(to, size) * step);
      }
    }

    @Override
    public double width() {
      return cells.width();
    }
  }

  /**
   * Growing list of numbers. Every full chunk is packed without loss. The spelling of a number is kept when it differs from
   * {@link Column#written}, as in 007, 1.0 and 1e3: the numbers may be names of classes.
   */
  final class Doubles implements Numbers {
    private static final int SHIFT = 10;
    private static final int CHUNK = 1 << SHIFT;
    /** Initial length of the open chunk, which doubles; keeps wide tables of few rows small. */
    private static final int FIRST_CHUNK = 64;
    /** Distinct spellings above which a column is taken for measurements, whose spellings are dropped. */
    static final int MAX_SPELLINGS = 4096;
    /** Rows per spelling below which there will be too many of them. */
    private static final int MANY_SPELLINGS = 16;
    private static final ThreadLocal<long[]> SCRATCH = ThreadLocal.withInitial(() -> new long[CHUNK]);

    private NumberChunk[] chunks = {};
    private double[] open = new double[FIRST_CHUNK];
    private int size;
    private long packedBytes;
    /** Spellings, with null for a number in the usual spelling; null while all are usual. */
    private Texts spellings;
    private boolean spellingsLost;
    private boolean digitsOnly = true;
    private boolean leadingZero;
    private boolean inexact;

    Doubles() {}

    /** Creates a list that starts with a number of missing values. */
    Doubles(int missing) {
      for (int row = 0; row < missing; row++) {
        add(Double.NaN);
      }
    }

    void add(double value) {
      int at = size & (CHUNK - 1);
      if (at == open.length) {
        open = Arrays.copyOf(open, 2 * at);
      }
      open[at] = value;
      size++;
      if (at == CHUNK - 1) {
        int chunk = size / CHUNK - 1;
        if (chunk == chunks.length) {
          chunks = Arrays.copyOf(chunks, chunk + chunk / 2 + 1);
        }
        chunks[chunk] = NumberChunk.of(open, CHUNK, SCRATCH.get());
        packedBytes += (long) CHUNK * chunks[chunk].width();
      }
    }

    void addMissing() {
      add(Double.NaN);
      if (spellings != null) {
        spellings.add(null);
      }
    }

    /** Adds a number and its spelling. */
    void add(double value, char[] text, int offset, int length) {
      add(value);
      if (digitsOnly || !spellingsLost) {
        keepSpelling(value, text, offset, length);
      }
    }

    private void keepSpelling(double value, char[] text, int offset, int length) {
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

    /** Returns whether there were too many spellings to keep them. */
    boolean hasLostSpellings() {
      return spellingsLost;
    }

    /**
     * Returns whether these are codes rather than numbers: digits only, with leading zeros or more digits than a double holds.
     */
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
      int chunk = row >> SHIFT;
      int at = row & (CHUNK - 1);
      return chunk < size >> SHIFT ? chunks[chunk].get(at) : open[at];
    }

    @Override
    public void discard(int from, int to) {
      Arrays.fill(chunks, from >> SHIFT, Math.min(to, size) >> SHIFT, null);
      if (spellings != null) {
        spellings.discard(from, to);
      }
    }

    @Override
    public double width() {
      double packed = size < CHUNK ? NumberChunk.of(open, size, SCRATCH.get()).width() : (double) packedBytes / (size & -CHUNK);
      // Spellings that keep coming up are those of measurements, and will be dropped.
      return packed + (spellings == null || spellings.distinct() > size / MANY_SPELLINGS ? 0 : spellings.width());
    }
  }

  /** Growing list of texts, each distinct text stored once; a missing value is null. */
  final class Texts implements ColumnValues {
    private static final int SHIFT = 10;
    private static final int CHUNK = 1 << SHIFT;
    private static final int FIRST_CHUNK = 64;

    private final Map<String, Integer> ids = new HashMap<>();
    private final List<String> texts = new ArrayList<>();
    private PackedIntegers[] chunks = {};
    private long[] open = new long[FIRST_CHUNK];
    private int size;
    private long packedBytes;

    void add(String text) {
      Integer id = ids.get(text);
      if (id == null) {
        id = texts.size();
        texts.add(text);
        ids.put(text, id);
      }
      int at = size & (CHUNK - 1);
      if (at == open.length) {
        open = Arrays.copyOf(open, 2 * at);
      }
      open[at] = id;
      size++;
      if (at == CHUNK - 1) {
        int chunk = size / CHUNK - 1;
        if (chunk == chunks.length) {
          chunks = Arrays.copyOf(chunks, chunk + chunk / 2 + 1);
        }
        chunks[chunk] = new PackedIntegers(open, CHUNK);
        packedBytes += (long) CHUNK * chunks[chunk].width();
      }
    }

    int distinct() {
      return texts.size();
    }

    @Override
    public int size() {
      return size;
    }

    String get(int row) {
      int chunk = row >> SHIFT;
      int at = row & (CHUNK - 1);
      return texts.get((int) (chunk < size >> SHIFT ? chunks[chunk].get(at) : open[at]));
    }

    @Override
    public void discard(int from, int to) {
      Arrays.fill(chunks, from >> SHIFT, Math.min(to, size) >> SHIFT, null);
    }

    @Override
    public double width() {
      return size < CHUNK ? new PackedIntegers(open, size).width() : (double) packedBytes / (size & -CHUNK);
    }
  }
}
