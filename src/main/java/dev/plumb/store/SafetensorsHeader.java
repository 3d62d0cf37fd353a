package dev.plumb.store;

import dev.plumb.json.JsonInput;
import dev.plumb.json.JsonObject;
import dev.plumb.model.Excerpt;
import dev.plumb.model.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Header of a safetensors file, read strictly: it is UTF-8, keys are unique, sizes are multiplied without overflow, and the
 * tensors cover the values of the file exactly, without gap, overlap or rest.
 *
 * @param texts of the metadata
 * @param entries in the order of their values in the file
 */
record SafetensorsHeader(SortedMap<String, String> texts, List<Entry> entries) {
  /**
   * Entry of one tensor.
   *
   * @param begin offset of its values after the header, in bytes
   * @param end offset of the byte after its values
   */
  record Entry(String name, Tensor.Type type, List<Integer> shape, int size, long begin, long end) {}

  /**
   * Reads a header.
   *
   * @param valueBytes number of bytes after the header
   * @throws InvalidInputException when it is invalid; the message names the tensor
   */
  static SafetensorsHeader parse(byte[] header, long valueBytes) {
    requireText(header);
    JsonObject root = JsonInput.parse(header);
    SortedMap<String, String> texts = new TreeMap<>();
    List<Entry> entries = new ArrayList<>();
    for (String name : root.keys()) {
      JsonObject object = root.object(name);
      if (name.equals(SafetensorsFile.TEXTS)) {
        for (String key : object.keys()) {
          texts.put(key, object.text(key));
        }
      } else {
        entries.add(entry(name, object));
      }
    }
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    requireCover(entries, valueBytes);
    return new SafetensorsHeader(texts, entries);
  }

  /**
   * Checks that the values fit in the heap twice, with 8 bytes each, as when a network's parameters are copied from its tensors.
   *
   * @throws InvalidInputException when they do not
   */
  void requireRoom() {
    long needed = entries.stream().mapToLong(entry -> 2L * Double.BYTES * entry.size()).sum();
    long heap = Runtime.getRuntime().maxMemory();
    if (needed > heap) {
      throw new InvalidInputException("its values take " + (needed >> 20) + " MiB of memory, but Java may use " + (heap >> 20)
          + " MiB; set PLUMB_JAVA_OPTS=-Xmx" + ((needed >> 30) + 2) + "g (if the machine has that much)");
    }
  }

  private static Entry entry(String name, JsonObject object) {
    object.allowOnly(Set.of("dtype", "shape", "data_offsets"));
    Tensor.Type type = object.parsed("dtype", SafetensorsHeader::type);
    List<Integer> shape = object.integers("shape");
    long size = 1;
    for (int extent : shape) {
      if (extent < 0) {
        throw object.fault("shape", "must not be negative, but is " + Excerpt.of(shape.toString()));
      }
      // Both factors are below 2^31, so that the product does not overflow.
      size *= extent;
      if (size > Tensor.MAX_VALUES) {
        throw object.fault("shape", Excerpt.of(shape.toString()) + " is more than " + Tensor.MAX_VALUES
            + " values, the maximum of one tensor");
      }
    }
    List<Long> offsets = object.longs("data_offsets");
    if (offsets.size() != 2) {
      throw object.fault("data_offsets", "must be two numbers, but are " + Excerpt.of(offsets.toString()));
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    if (begin < 0 || end < begin || end - begin != size * type.bytes()) {
      throw object.fault("data_offsets", "are " + offsets + ", but " + type + " values of shape " + Excerpt.of(shape.toString())
          + " take " + size * type.bytes() + " bytes");
    }
    return new Entry(name, type, shape, (int) size, begin, end);
  }

  private static Tensor.Type type(String word) {
    for (Tensor.Type type : Tensor.Type.values()) {
      if (type.name().equals(word)) {
        return type;
      }
    }
    throw new InvalidInputException("values of type \"" + Excerpt.of(word) + "\" cannot be read; one of "
        + String.join(", ", Arrays.stream(Tensor.Type.values()).map(Enum::name).toList()));
  }

  /** Checks that the entries, in the order of their values, cover the file. */
  private static void requireCover(List<Entry> entries, long valueBytes) {
    long covered = 0;
    for (Entry entry : entries) {
      if (entry.begin() != covered) {
        throw new InvalidInputException("the values of tensor \"" + Excerpt.of(entry.name()) + "\" begin at byte " + entry.begin()
            + ", but those before end at " + covered);
      }
      covered = entry.end();
    }
    if (covered != valueBytes) {
      throw new InvalidInputException("its tensors take " + covered + " bytes, but there are " + valueBytes);
    }
  }

  /** Checks that the header is UTF-8: Jackson would accept other encodings. */
  private static void requireText(byte[] header) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(header));
    } catch (CharacterCodingException e) {
      throw new InvalidInputException("its header is not UTF-8", e);
    }
    for (byte one : header) {
      if (one == 0) {
        throw new InvalidInputException("its header has a NUL byte");
      }
    }
  }
}
