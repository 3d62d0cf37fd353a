package dev.plumb.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.plumb.model.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTest {
  private static final String NO_SEAL = "0".repeat(64);

  @TempDir Path folder;

  @Test
  void everyTypeComesBackBitForBit() {
    double[] reals = {0.0, -0.0, Math.PI, Double.MIN_VALUE, -Double.MAX_VALUE, Double.NaN, Double.POSITIVE_INFINITY};
    double[] singles = {0.1f, -Float.MAX_VALUE, Float.MIN_VALUE, Float.NEGATIVE_INFINITY, Float.NaN, 1};
    List<Tensor> tensors = List.of(
        new Tensor.Reals("singles", Tensor.Type.F32, List.of(2, 3), singles),
        new Tensor.Integers("longs", Tensor.Type.I64, List.of(2), new long[] {Long.MIN_VALUE, Long.MAX_VALUE}),
        new Tensor.Integers("ints", Tensor.Type.I32, List.of(3, 1), new long[] {Integer.MIN_VALUE, -1, Integer.MAX_VALUE}),
        new Tensor.Reals("reals", Tensor.Type.F64, List.of(7), reals),
        new Tensor.Reals("number", Tensor.Type.F64, List.of(), new double[] {42}),
        new Tensor.Reals("nothing", Tensor.Type.F32, List.of(0, 5), new double[0]));
    SortedMap<String, String> texts = new TreeMap<>(Map.of("a", "größer 😀 \"quoted\"\n", "plumb.sha257", "", "", "empty"));
    Path file = folder.resolve("a.safetensors");
    SafetensorsFile.write(file, texts, tensors);
    SafetensorsFile.Contents contents = SafetensorsFile.read(file);
    assertEquals(texts, contents.texts());
    assertEquals(List.of("longs", "reals", "number", "singles", "ints", "nothing"),
        contents.tensors().stream().map(Tensor::name).toList(), "wide types first, else as given");
    for (Tensor tensor : tensors) {
      Tensor read = contents.tensors().stream().filter(other -> other.name().equals(tensor.name())).findFirst().orElseThrow();
      assertEquals(tensor.type(), read.type());
      assertEquals(tensor.shape(), read.shape());
      if (tensor instanceof Tensor.Reals one && read instanceof Tensor.Reals other) {
        assertArrayEquals(bits(one.values()), bits(other.values()), tensor.name());
      } else {
        assertArrayEquals(((Tensor.Integers) tensor).values(), ((Tensor.Integers) read).values());
      }
    }
  }

  @Test
  void tensorsLongerThanTheBufferComeBack() {
    double[] values = new double[100_003];
    Arrays.setAll(values, i -> i / 7.0);
    Path file = folder.resolve("long.safetensors");
    SafetensorsFile.write(file, new TreeMap<>(), List.of(new Tensor.Reals("x", Tensor.Type.F64, List.of(values.length), values)));
    assertArrayEquals(values, ((Tensor.Reals) SafetensorsFile.read(file).tensors().get(0)).values());
  }

  @Test
  void otherReadersFindEveryTensorAlignedWhereTheHeaderSays() throws IOException {
    Path file = folder.resolve("a.safetensors");
    SafetensorsFile.write(file, new TreeMap<>(Map.of("key", "value")), List.of(
        new Tensor.Reals("odd", Tensor.Type.F32, List.of(3), new double[] {1, 2, 3}),
        new Tensor.Reals("wide", Tensor.Type.F64, List.of(2, 1), new double[] {-1, 0.1})));
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int headerBytes = (int) bytes.getLong();
    assertEquals(0, headerBytes % 8);
    JsonNode header = new ObjectMapper().readTree(bytes.array(), 8, headerBytes);
    assertEquals(3, header.size());
    assertEquals("value", header.at("/__metadata__/key").asText());
    assertEquals("{\"dtype\":\"F64\",\"shape\":[2,1],\"data_offsets\":[0,16]}", header.get("wide").toString());
    assertEquals("{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[16,28]}", header.get("odd").toString());
    assertEquals(0.1, bytes.getDouble(8 + headerBytes + 8));
    assertEquals(3f, bytes.getFloat(8 + headerBytes + 24));
    assertEquals(8 + headerBytes + 28, bytes.capacity());
  }

  @Test
  void sealIsTheDigestOfTheFileWithZerosInItsPlace() throws Exception {
    Path file = folder.resolve("a.safetensors");
    SafetensorsFile.write(file, new TreeMap<>(), List.of());
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    String seal = text.substring(text.indexOf("sha256\":\"") + 9).substring(0, 64);
    byte[] unsealed = text.replace(seal, NO_SEAL).getBytes(StandardCharsets.ISO_8859_1);
    assertEquals(seal, HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(unsealed)));
  }

  /** Each is sealed rightly: the header itself is what is wrong. */
  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
      "{'dtype':'F32','shape':[2],'data_offsets':[0,4]}"
          + "|4|a.data_offsets, line 1: are [0, 4], but F32 values of shape [2] take 8 bytes",
      "{'dtype':'F32','shape':[1],'data_offsets':[4,8]}"
          + "|8|the values of tensor \"a\" begin at byte 4, but those before end at 0",
      "{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'b':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}"
          + "|4|the values of tensor \"b\" begin at byte 0, but those before end at 4",
      "{'dtype':'F32','shape':[1],'data_offsets':[0,4]}|9|its tensors take 4 bytes, but there are 9",
      "{'dtype':'F32','shape':[1],'data_offsets':[0,4]}|3|its tensors take 4 bytes, but there are 3",
      "{'dtype':'F32','shape':[-1,-1],'data_offsets':[0,4]}|4|a.shape, line 1: must not be negative, but is [-1, -1]",
      "{'dtype':'F64','shape':[65536,65536,65536,65536],'data_offsets':[0,0]}"
          + "|0|a.shape, line 1: [65536, 65536, 65536, 65536] is more than 2147483639 values, the maximum of one tensor",
      "{'dtype':'F64','shape':[4294967296],'data_offsets':[0,8]}"
          + "|8|a.shape[0], line 1: must be between -2147483648 and 2147483647, not 4294967296",
      "{'dtype':'F64','shape':[1],'data_offsets':[-8,0]}"
          + "|0|a.data_offsets, line 1: are [-8, 0], but F64 values of shape [1] take 8 bytes",
      "{'dtype':'F64','shape':[1],'data_offsets':[9223372036854775807,-9223372036854775801]}"
          + "|8|a.data_offsets, line 1: are [9223372036854775807, -9223372036854775801], but F64 values of shape [1]"
          + " take 8 bytes",
      "{'dtype':'F64','shape':[1],'data_offsets':[0]}|8|a.data_offsets, line 1: must be two numbers, but are [0]",
      "{'dtype':'F64','shape':[1.5],'data_offsets':[0,8]}|8|a.shape[0], line 1: must be a whole number, not 1.5",
      "{'dtype':'F64','shape':[1]}|8|a, line 1: the key \"data_offsets\" is missing",
      "{'dtype':'F64','shape':[1],'data_offsets':[0,8],'x':1}"
          + "|8|a.x, line 1: unknown key \"x\"; known keys: data_offsets, dtype, shape",
      "{'dtype':'BF16','shape':[1],'data_offsets':[0,2]}"
          + "|2|a.dtype, line 1: values of type \"BF16\" cannot be read; one of F64, F32, I64, I32",
      "[]|0|a, line 1: must be an object, not a list",
      "{'dtype':'F32','shape':[0],'data_offsets':[0,0]},'a':{'dtype':'F32','shape':[0],'data_offsets':[0,0]}"
          + "|0|line 1, column 157: this is not JSON: Duplicate field 'a'",
  })
  void wrongHeaderIsRefused(String tensors, int valueBytes, String message) throws Exception {
    String header = "{\"__metadata__\":{\"plumb.sha256\":\"" + NO_SEAL + "\"},\"a\":" + tensors.replace('\'', '"') + "}";
    refused(header, valueBytes, message);
  }

  @Test
  void wrongTextsAreRefused() throws Exception {
    String begin = "{\"__metadata__\":{\"plumb.sha256\":\"" + NO_SEAL + "\"";
    refused(begin + ",\"x\":1}}", 0, "__metadata__.x, line 1: must be a string, not 1");
    refused(begin + "}} {", 0, "line 1, column 102: unexpected content after the end of the object");
    refused(begin + "}}\0\0\0", 0, "its header has a NUL byte");
    refused(begin + ",\"\u00ff\":\"\"}}", 0, "its header is not UTF-8");
    String deep = begin + "},\"a\":" + "[".repeat(5000);
    String message = messageOf(sealed(deep, 0));
    assertTrue(message.contains("this is not JSON: Document nesting depth"), message);
  }

  @Test
  void filesThatPlumbDidNotWriteAreRefused() throws IOException {
    Path file = folder.resolve("x.safetensors");
    assertEquals(file + ": there is no such file", messageOf(file));
    assertEquals(folder + ": cannot be read: it is a folder, not a file", messageOf(folder));
    Files.writeString(file, "");
    assertEquals(file + ": is not a safetensors file, or is truncated: its 0 bytes do not begin with a valid header",
        messageOf(file));
    Files.writeString(file, "sepal,petal\n1,2\n".repeat(20));
    assertTrue(messageOf(file).contains("do not begin with a valid header"), messageOf(file));
    String foreign = "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}" + " ".repeat(60);
    Files.write(file, safetensors(foreign.getBytes(StandardCharsets.UTF_8), 4));
    assertEquals(file + ": is not a file that Plumb wrote: its header does not begin with Plumb's checksum, \"plumb.sha256\";"
        + " another program wrote it, or it is damaged", messageOf(file));
  }

  @Test
  void filesLargerThanTheHeapAreRefusedByTheHeader() {
    int most = 1 << 30;
    StringBuilder header = new StringBuilder("{\"__metadata__\":{}");
    long tensors = Runtime.getRuntime().maxMemory() / 8 / most + 1;
    for (long i = 0; i < tensors; i++) {
      header.append(",\"").append(i).append("\":{\"dtype\":\"F32\",\"shape\":[1024,1048576],\"data_offsets\":[")
          .append(4 * i * most).append(',').append(4 * (i + 1) * most).append("]}");
    }
    byte[] bytes = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
    SafetensorsHeader parsed = SafetensorsHeader.parse(bytes, 4 * tensors * most);
    String message = assertThrows(InvalidInputException.class, parsed::requireRoom).getMessage();
    assertTrue(message.matches("its values take \\d+ MiB of memory, but Java may use \\d+ MiB; set PLUMB_JAVA_OPTS=-Xmx\\d+g"
        + " \\(if the machine has that much\\)"), message);
  }

  @Test
  void sameContentGivesTheSameBytes() throws IOException {
    List<Tensor> tensors = List.of(new Tensor.Reals("x", Tensor.Type.F32, List.of(1), new double[] {1}));
    SafetensorsFile.write(folder.resolve("one"), new TreeMap<>(Map.of("a", "1", "b", "2")), tensors);
    SafetensorsFile.write(folder.resolve("two"), new TreeMap<>(Map.of("b", "2", "a", "1")), tensors);
    assertArrayEquals(Files.readAllBytes(folder.resolve("one")), Files.readAllBytes(folder.resolve("two")));
  }

  @Test
  void namesOfTheFormatAndNamesTwiceAreBugs() {
    Tensor tensor = new Tensor.Reals("__metadata__", Tensor.Type.F32, List.of(1), new double[1]);
    Path file = folder.resolve("x");
    assertThrows(IllegalArgumentException.class, () -> SafetensorsFile.write(file, new TreeMap<>(), List.of(tensor)));
    Tensor other = new Tensor.Reals("x", Tensor.Type.F32, List.of(1), new double[1]);
    assertThrows(IllegalArgumentException.class, () -> SafetensorsFile.write(file, new TreeMap<>(), List.of(other, other)));
    SortedMap<String, String> texts = new TreeMap<>(Map.of("plumb.sha256", ""));
    assertThrows(IllegalArgumentException.class, () -> SafetensorsFile.write(file, texts, List.of()));
    assertTrue(Files.notExists(file));
  }

  private void refused(String header, int valueBytes, String message) throws Exception {
    Path file = sealed(header, valueBytes);
    assertEquals(file + ": " + message, messageOf(file));
  }

  private static String messageOf(Path file) {
    return assertThrows(InvalidInputException.class, () -> SafetensorsFile.read(file)).getMessage();
  }

  /** A file with this header, one byte a character, zeros as values, and the seal that fits. */
  private Path sealed(String header, int valueBytes) throws Exception {
    byte[] bytes = header.getBytes(StandardCharsets.ISO_8859_1);
    byte[] whole = safetensors(bytes, valueBytes);
    String seal = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(whole));
    System.arraycopy(seal.getBytes(StandardCharsets.US_ASCII), 0, whole, 8 + header.indexOf(NO_SEAL), 64);
    return Files.write(folder.resolve("wrong.safetensors"), whole);
  }

  private static byte[] safetensors(byte[] header, int valueBytes) {
    return ByteBuffer.allocate(8 + header.length + valueBytes).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).put(header)
        .array();
  }

  private static long[] bits(double[] values) {
    return Arrays.stream(values).mapToLong(Double::doubleToRawLongBits).toArray();
  }
}
