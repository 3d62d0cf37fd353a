package dev.plumb.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.plumb.backend.Slot;
import dev.plumb.backend.StepChunk;
import dev.plumb.backend.TrainingSession;
import dev.plumb.backend.cuda.device.CudaOptions;
import dev.plumb.backend.cuda.hostdevice.HostDevice;
import dev.plumb.backend.cuda.natives.CudaNatives;
import dev.plumb.data.Dataset;
import dev.plumb.data.RandomData;
import dev.plumb.model.Activation;
import dev.plumb.model.Initializer;
import dev.plumb.model.Loss;
import dev.plumb.model.NetworkSpec;
import dev.plumb.model.OptimizerSpec;
import dev.plumb.model.TrainingSpec;
import dev.plumb.random.NumpyRandom;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** One thread uses two devices in turn: each call must reach the context of its own device. */
@Tag("cuda")
@Tag("host-device")
class TwoDevicesTest {
  /** Trains the same network on both, step by step in turns, and prints both losses. */
  static final class Trainings {
    private Trainings() {}

    public static void main(String[] args) {
      try (CudaBackend one = new CudaBackend(0, CudaOptions.standard());
          CudaBackend other = new CudaBackend(1, CudaOptions.standard());
          TrainingSession first = started(one);
          TrainingSession second = started(other)) {
        for (int step = 0; step < 3; step++) {
          for (TrainingSession session : new TrainingSession[] {first, second}) {
            session.run(StepChunk.of(2).learningRate(0.1).recordAll().build());
          }
        }
        System.out.println(first.sync().loss()[5][0] == second.sync().loss()[5][0] ? "the same" : "different");
      }
    }

    private static TrainingSession started(CudaBackend backend) {
      NetworkSpec network = NetworkSpec.of(Activation.TANH, 3, 4, 2);
      Dataset data = RandomData.draw(7, network, Loss.MSE, new NumpyRandom(1));
      TrainingSession session = backend.open(network, TrainingSpec.of(Loss.MSE, OptimizerSpec.Sgd.DEFAULT, 0.1, 1), 1);
      session.write(Slot.PARAMETERS, 0, Initializer.PYTORCH.draw(network, new NumpyRandom(2)));
      session.bind(data);
      return session;
    }
  }

  @Test
  void everyCallReachesItsOwnCard() throws Exception {
    ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
        "-D" + CudaNatives.HOST_DEVICE + "=" + HostDevice.folder(), Trainings.class.getName()).redirectErrorStream(true);
    builder.environment().put("PLUMB_HOST_DEVICE_COUNT", "2");
    Process process = builder.start();
    process.getOutputStream().close();
    assertEquals("the same\n", new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
    assertEquals(0, process.waitFor());
  }
}
