package dev.plumb.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.data.TableEncoding;
import dev.plumb.model.Activation;
import dev.plumb.model.Loss;
import dev.plumb.model.Normalization;
import dev.plumb.model.Precision;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;

class NpzFileTest {
  @Test
  void archiveContainsWeightsAndEncoding() throws IOException {
    TrainedModel model = Models.model(Activation.RELU, Loss.MSE, Precision.FP64,
        new TableEncoding(Models.mixedColumns(), Models.numbers(2)), 3);
    Map<String, byte[]> files = unzip(bytes(model));
    assertEquals(List.of("0.weight.npy", "0.bias.npy", "2.weight.npy", "2.bias.npy", "input_names.npy", "input_mean.npy",
        "input_scale.npy", "target_names.npy", "target_mean.npy", "target_scale.npy", "activation.npy", "loss.npy",
        "manifest.npy"), List.copyOf(files.keySet()));
    assertEquals("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 6,), }", header(files.get("0.weight.npy")).strip());
    assertArrayEquals(Arrays.copyOf(model.parameters(), 18), doubles(files.get("0.weight.npy")));
    assertArrayEquals(new double[] {0, 0, 0, 1.6e9, 0, 0}, doubles(files.get("input_mean.npy")));
    assertArrayEquals(new double[] {1, 1, 1, 3, 1, 1}, doubles(files.get("input_scale.npy")));
    assertEquals("{'descr': '<U13', 'fortran_order': False, 'shape': (6,), }", header(files.get("input_names.npy")).strip());
    assertEquals(List.of("colour=blue", "colour=größer", "colour=red", "label", "=no", "=yes"),
        words(files.get("input_names.npy"), 13));
    assertEquals("{'descr': '<U4', 'fortran_order': False, 'shape': (), }", header(files.get("activation.npy")).strip());
    assertEquals(List.of("relu"), words(files.get("activation.npy"), 4));
    assertArrayEquals(new double[] {100, 29.5}, doubles(files.get("target_mean.npy")));
  }

  @Test
  void normalizationAndResidualsAreNamed() throws IOException {
    TrainedModel model = Models.model(Activation.RELU, Normalization.BATCH, true, Loss.MSE, Precision.FP64,
        new TableEncoding(Models.numericColumns(2), Models.numbers(1)), 2);
    Map<String, byte[]> files = unzip(bytes(model));
    assertEquals(List.of("layers.0.linear.weight.npy", "layers.0.linear.bias.npy", "layers.0.norm.weight.npy",
        "layers.0.norm.bias.npy", "layers.0.norm.running_mean.npy", "layers.0.norm.running_var.npy", "layers.1.linear.weight.npy",
        "layers.1.linear.bias.npy"), List.copyOf(files.keySet()).subList(0, 8));
    assertEquals(List.of("batch"), words(files.get("normalization.npy"), 5));
    assertEquals(List.of("true"), words(files.get("residual.npy"), 4));
    int size = model.parameters().length;
    assertArrayEquals(Arrays.copyOfRange(model.parameters(), size - 2, size), doubles(files.get("layers.0.norm.running_var.npy")));
  }

  @Test
  void singlePrecisionAndClassNamesAreKept() throws IOException {
    TrainedModel model = Models.small(Precision.FP32);
    Map<String, byte[]> files = unzip(bytes(model));
    assertEquals("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", header(files.get("2.bias.npy")).strip());
    ByteBuffer last = data(files.get("2.bias.npy"));
    assertEquals((float) model.parameters()[15], last.getFloat());
    assertEquals((float) model.parameters()[16], last.getFloat());
    assertEquals(List.of("class, \"0\"", "class, \"1\""), words(files.get("class_names.npy"), 10));
  }

  @Test
  void sameModelGivesTheSameBytes() throws IOException {
    assertArrayEquals(bytes(Models.small(Precision.FP32)), bytes(Models.small(Precision.FP32)));
  }

  private static byte[] bytes(TrainedModel model) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    NpzFile.write(out, model);
    return out.toByteArray();
  }

  private static Map<String, byte[]> unzip(byte[] bytes) throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(bytes))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        files.put(entry.getName(), zip.readAllBytes());
      }
    }
    return files;
  }

  /** Magic and version, the header's length in two bytes, the header. */
  private static String header(byte[] npy) {
    assertEquals("\u0093NUMPY\u0001\0", new String(npy, 0, 8, StandardCharsets.ISO_8859_1));
    int length = ByteBuffer.wrap(npy).order(ByteOrder.LITTLE_ENDIAN).getShort(8);
    assertEquals(0, (10 + length) % 64);
    String header = new String(npy, 10, length, StandardCharsets.ISO_8859_1);
    assertEquals('\n', header.charAt(length - 1));
    return header;
  }

  private static ByteBuffer data(byte[] npy) {
    return ByteBuffer.wrap(npy).order(ByteOrder.LITTLE_ENDIAN).position(10 + header(npy).length());
  }

  private static double[] doubles(byte[] npy) {
    double[] values = new double[data(npy).remaining() / Double.BYTES];
    data(npy).asDoubleBuffer().get(values);
    return values;
  }

  private static List<String> words(byte[] npy, int width) {
    List<String> words = new ArrayList<>();
    String all = Charset.forName("UTF-32LE").decode(data(npy)).toString();
    for (int first = 0; first < all.length(); first += width) {
      words.add(all.substring(first, first + width).replace("\0", ""));
    }
    return words;
  }
}
