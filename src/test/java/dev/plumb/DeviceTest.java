package dev.plumb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.plumb.model.InvalidInputException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceTest {
  @Test
  void namesAreParsedAndWritten() {
    for (Device device : List.of(Device.AUTO, Device.CPU, Device.REFERENCE, Device.CUDA, Device.cuda(1), Device.cuda(99), Device.CUDA_ALL)) {
      assertEquals(device, Device.parse(device.toString()));
    }
    assertEquals(List.of("auto", "cpu", "reference", "cuda", "cuda:7", "cuda:all"),
        List.of(Device.AUTO, Device.CPU, Device.REFERENCE, Device.CUDA, Device.cuda(7), Device.CUDA_ALL).stream().map(Device::toString).toList());
    assertEquals(Device.CUDA, Device.parse("cuda:0"));
    assertEquals(Device.CUDA, Device.cuda(0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "cuda:", "cuda:-1", "cuda:100", "cuda:x", "gpu", "CPU", " cpu", "cpu:0"})
  void otherNamesAreRefused(String name) {
    String message = assertThrows(InvalidInputException.class, () -> Device.parse(name)).getMessage();
    assertEquals(0, message.indexOf("unknown device \"" + name + "\""), message);
    assertEquals(message.length(), message.indexOf("; one of auto, cuda, cuda:N, cuda:all, cpu, reference") + 53, message);
  }

  @Test
  void allGpusAreNotForOneNetwork() {
    assertEquals("cuda:all is only for plumb study and plumb cv, because one network uses one GPU; use cuda or cuda:N",
        assertThrows(InvalidInputException.class, () -> Backends.open("cuda:all", Backends.Usage.STANDARD)).getMessage());
  }

  @Test
  void misspeltNamesAreRecognized() {
    assertEquals("unknown device \"referenc\" (did you mean \"reference\"?); one of auto, cuda, cuda:N, cuda:all, cpu, reference",
        assertThrows(InvalidInputException.class, () -> Device.parse("referenc")).getMessage());
  }

  @ParameterizedTest
  @CsvSource({
      "CUDA, -1, 'GPU -1: the number must lie between 0 and 99'",
      "CUDA, 100, 'GPU 100: the number must lie between 0 and 99'",
      "CUDA_ALL, 1, 'device cuda:all has no number, but got 1'",
      "CPU, 1, 'device cpu has no number, but got 1'"})
  void numbersThatNoDeviceHasAreRefused(Device.Kind kind, int ordinal, String message) {
    assertEquals(message, assertThrows(InvalidInputException.class, () -> new Device(kind, ordinal)).getMessage());
  }
}
