package dev.plumb.check;

import dev.plumb.backend.DeviceInfo;
import dev.plumb.model.NetworkSpec;
import java.util.Locale;

/**
 * A checked training step.
 *
 * @param device the device that computed it
 * @param step its number since the beginning of training, from 0
 */
public record CheckedStep(DeviceInfo device, NetworkSpec network, long step) {
  /** Returns one line with the place of a tensor's largest error, both values and the size of the error. */
  public String describe(TensorCheck tensor) {
    String fault;
    if (Double.isFinite(tensor.units())) {
      fault = String.format(Locale.ROOT, "the error is %.4g times what is allowed", tensor.units());
    } else if (Double.isFinite(tensor.error())) {
      fault = "not rounded to bfloat16";
    } else {
      fault = "the error is beyond what is allowed";
    }
    return network.shape() + " " + network.activation().key() + ", step " + step + ", replica " + tensor.replica()
        + ", layer " + tensor.tensor().layer() + ", " + tensor.tensor().name() + tensor.tensor().place(tensor.worst()) + ": "
        + device.kind().key() + " " + tensor.actual() + ", reference " + tensor.expected() + ", " + fault;
  }
}
