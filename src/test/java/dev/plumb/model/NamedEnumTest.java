package dev.plumb.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NamedEnumTest {
  @Test
  void everyMemberIsFoundByItsKey() {
    for (Activation activation : Activation.values()) {
      assertEquals(activation, Activation.of(activation.key()));
    }
    for (Loss loss : Loss.values()) {
      assertEquals(loss, Loss.of(loss.key()));
    }
    for (Initializer initializer : Initializer.values()) {
      assertEquals(initializer, Initializer.of(initializer.key()));
    }
  }

  @Test
  void unknownWordListsAllKeysAndSuggestsTheNearest() {
    String message = assertThrows(InvalidInputException.class, () -> Activation.of("rleu")).getMessage();
    assertEquals("unknown activation \"rleu\" (did you mean \"relu\"?); one of linear, relu, leaky_relu, sigmoid, tanh, softplus, "
        + "elu, gelu, silu", message);
  }

  @ParameterizedTest
  @CsvSource({"learningrate,learningRate", "epoch,epochs", "activaton,activation", "layer,layers"})
  void nearestNameIgnoresCase(String word, String expected) {
    List<String> known = List.of("layers", "learningRate", "epochs", "activation");
    assertEquals(Optional.of(expected), Spelling.nearest(word, known));
  }

  @Test
  void noSuggestionForADistantWord() {
    assertEquals(Optional.empty(), Spelling.nearest("banana", List.of("layers", "seed")));
    assertEquals("", Spelling.didYouMean("banana", List.of("layers", "seed")));
    assertEquals(Optional.empty(), Spelling.nearest("x", List.of()));
  }
}
