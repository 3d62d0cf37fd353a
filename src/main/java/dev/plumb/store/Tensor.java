package dev.plumb.store;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * Named tensor of a file: shape, row-major values and the type in which they are stored. Values are widened to double or long
 * when read, which is exact; doubles are rounded to the nearest float when written as {@link Type#F32}. The arrays are not
 * copied: a tensor exists only to be written, or to be consumed after reading.
 */
public sealed interface Tensor {
  /** Longest array that every JVM can allocate. */
  int MAX_VALUES = Integer.MAX_VALUE - 8;

  /** Element types that Plumb writes, little-endian, with the names of safetensors. */
  enum Type {
    /** Double. */
    F64(8),
    /** Float. */
    F32(4),
    /** Long. */
    I64(8),
    /** Int. */
    I32(4);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    /**
     * Returns the size of one value.
     *
     * @return in bytes
     */
    public int bytes() {
      return bytes;
    }

    boolean isReal() {
      return this == F64 || this == F32;
    }
  }

  /**
   * Returns the name.
   *
   * @return unique within a file
   */
  String name();

  /**
   * Returns the element type.
   *
   * @return in which the values are stored
   */
  Type type();

  /**
   * Returns the shape.
   *
   * @return empty for a scalar
   */
  List<Integer> shape();

  /**
   * Returns the number of values.
   *
   * @return product of the shape
   */
  int size();

  /**
   * Tensor of floating-point numbers.
   *
   * @param name unique within a file
   * @param type F64 or F32
   * @param shape empty for a scalar
   * @param values row-major
   */
  record Reals(String name, Type type, List<Integer> shape, double[] values) implements Tensor {
    /**
     * Checks type and shape.
     *
     * @param name unique within a file
     * @param type F64 or F32
     * @param shape empty for a scalar
     * @param values row-major
     * @throws IllegalArgumentException when they do not match the values
     */
    public Reals {
      shape = List.copyOf(shape);
      requireConsistent(name, type.isReal(), shape, values.length);
    }

    @Override
    public int size() {
      return values.length;
    }
  }

  /**
   * Tensor of integers.
   *
   * @param name unique within a file
   * @param type I64 or I32
   * @param shape empty for a scalar
   * @param values row-major; in the range of an int for I32
   */
  record Integers(String name, Type type, List<Integer> shape, long[] values) implements Tensor {
    /**
     * Checks type, shape and range.
     *
     * @param name unique within a file
     * @param type I64 or I32
     * @param shape empty for a scalar
     * @param values row-major; in the range of an int for I32
     * @throws IllegalArgumentException when they do not match the values
     */
    public Integers {
      shape = List.copyOf(shape);
      requireConsistent(name, !type.isReal(), shape, values.length);
      if (type == Type.I32 && LongStream.of(values).anyMatch(value -> value != (int) value)) {
        throw new IllegalArgumentException("tensor " + name + " has a value outside the range of I32");
      }
    }

    @Override
    public int size() {
      return values.length;
    }
  }

  /**
   * Checks that names are unique.
   *
   * @param tensors of a file
   * @throws IllegalArgumentException when two have the same name
   */
  static void requireDistinct(List<? extends Tensor> tensors) {
    Set<String> names = new HashSet<>();
    for (Tensor tensor : tensors) {
      if (!names.add(tensor.name())) {
        throw new IllegalArgumentException("two tensors have the name " + tensor.name());
      }
    }
  }

  private static void requireConsistent(String name, boolean typeFits, List<Integer> shape, int values) {
    if (!typeFits) {
      throw new IllegalArgumentException("tensor " + name + " has values that do not match its type");
    }
    long size = 1;
    for (int extent : shape) {
      size = Math.multiplyExact(size, extent);
    }
    if (size != values) {
      throw new IllegalArgumentException("tensor " + name + " of shape " + shape + " with " + values + " values");
    }
  }
}
