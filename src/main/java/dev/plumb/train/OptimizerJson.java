package dev.plumb.train;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.plumb.json.JsonObject;
import dev.plumb.json.JsonOutput;
import dev.plumb.model.OptimizerSpec;
import java.io.IOException;
import java.util.Set;

/** The JSON form of an optimizer: its type, and its constants, whose defaults are PyTorch's. */
public final class OptimizerJson {
  private OptimizerJson() {}

  /**
   * Reads an optimizer.
   *
   * @throws dev.plumb.model.InvalidInputException when a value is wrong; the message says where, and what would be right
   */
  public static OptimizerSpec read(JsonObject json) {
    return read(json, false);
  }

  /**
   * Reads an optimizer whose weight decay may be automatic.
   *
   * @return the optimizer; with PyTorch's weight decay if that is automatic
   * @throws dev.plumb.model.InvalidInputException when a value is wrong; the message says where, and what would be right
   */
  static OptimizerSpec readAutomatic(JsonObject json) {
    return read(json, hasAutomaticDecay(json));
  }

  /** Returns whether the weight decay of an optimizer is automatic. */
  static boolean hasAutomaticDecay(JsonObject json) {
    return json.isText("weightDecay") && json.text("weightDecay").equals(Automatic.WORD);
  }

  private static OptimizerSpec read(JsonObject json, boolean automaticDecay) {
    OptimizerSpec.Kind kind = json.parsed("type", OptimizerSpec.Kind::of);
    if (automaticDecay && kind != OptimizerSpec.Kind.ADAMW) {
      throw json.fault("weightDecay", "can be \"" + Automatic.WORD + "\" only for optimizer adamw; it must be a number for "
          + kind.key());
    }
    return switch (kind) {
      case SGD -> {
        json.allowOnly(Set.of("type", "momentum", "nesterov", "weightDecay"));
        OptimizerSpec.Sgd sgd = OptimizerSpec.Sgd.DEFAULT;
        yield json.at(() -> new OptimizerSpec.Sgd(
            json.number("momentum", sgd.momentum()),
            json.has("nesterov") && json.flag("nesterov"),
            json.number("weightDecay", sgd.weightDecay())));
      }
      case ADAM -> adam(json, OptimizerSpec.Adam.DEFAULT, false);
      case ADAMW -> adam(json, OptimizerSpec.Adam.DEFAULT_W, automaticDecay);
      case RMSPROP -> {
        json.allowOnly(Set.of("type", "alpha", "epsilon", "weightDecay"));
        OptimizerSpec.RmsProp rmsProp = OptimizerSpec.RmsProp.DEFAULT;
        yield json.at(() -> new OptimizerSpec.RmsProp(
            json.number("alpha", rmsProp.alpha()),
            json.number("epsilon", rmsProp.epsilon()),
            json.number("weightDecay", rmsProp.weightDecay())));
      }
    };
  }

  private static OptimizerSpec adam(JsonObject json, OptimizerSpec.Adam defaults, boolean automaticDecay) {
    json.allowOnly(Set.of("type", "beta1", "beta2", "epsilon", "weightDecay"));
    return json.at(() -> new OptimizerSpec.Adam(
        json.number("beta1", defaults.beta1()),
        json.number("beta2", defaults.beta2()),
        json.number("epsilon", defaults.epsilon()),
        automaticDecay ? defaults.weightDecay() : json.number("weightDecay", defaults.weightDecay()),
        defaults.decoupled()));
  }

  /** Writes an optimizer with all its constants, and the word for a weight decay that is automatic. */
  static void write(JsonGenerator json, String key, OptimizerSpec optimizer, boolean automaticDecay) throws IOException {
    json.writeObjectFieldStart(key);
    json.writeStringField("type", optimizer.kind().key());
    if (optimizer instanceof OptimizerSpec.Sgd sgd) {
      JsonOutput.number(json, "momentum", sgd.momentum());
      json.writeBooleanField("nesterov", sgd.nesterov());
    } else if (optimizer instanceof OptimizerSpec.Adam adam) {
      JsonOutput.number(json, "beta1", adam.beta1());
      JsonOutput.number(json, "beta2", adam.beta2());
      JsonOutput.number(json, "epsilon", adam.epsilon());
    } else if (optimizer instanceof OptimizerSpec.RmsProp rmsProp) {
      JsonOutput.number(json, "alpha", rmsProp.alpha());
      JsonOutput.number(json, "epsilon", rmsProp.epsilon());
    }
    TrainConfigJson.automaticOr(json, "weightDecay", automaticDecay, optimizer.weightDecay());
    json.writeEndObject();
  }
}
