// The fused kernels' view of the network, dropout and loss; FusedPlan.java writes the structures.
#pragma once
#include "activation.cuh"
#include "loss.cuh"
#include "philox.cuh"

// The smallest number of units of a group, and the number of units of a lane. Rows of weights are padded to the latter.
enum { UNITS = 8, HALF_UNITS = UNITS / 2 };

// A layer's sizes and offsets; FusedPlan.java writes it. Offsets count elements.
struct FusedLayer {
    int in;
    int out;
    int in_padded;       // to HALF_UNITS
    int out_padded;
    int weights;         // W [out x in_padded] in a vector in shared memory, padded with 0
    int bias;            // b [out_padded] in the same vector
    int transposed;      // W again, as [in x out_padded]: read by the forward pass; the backward pass reads `weights`
    int input;           // the first column of the layer's input
    int delta;           // the first column of dLoss/dZ, and before that of f'(Z)
    int first_item;      // the layer's first gradient item; an item is HALF_UNITS units by HALF_UNITS inputs
    int first_unit;      // number of units of all layers below
    int global_weights;  // W [out x in] in the replica's vector in global memory
    int global_bias;
    int activation;
};

// Constants of a session; FusedPlan.java writes them. Offsets at_* count bytes of shared memory.
struct FusedPlan {
    double clip_norm;     // 0 for none
    double decay1;        // sgd's momentum, adam's beta1, rmsprop's alpha
    double decay2;        // adam's beta2
    double epsilon;
    double weight_decay;
    double dropout_scale;  // of the kept activations; 1 for no dropout
    long long dropout_threshold;
    long long dropout_seed;  // of replica 0
    long long optimizer;  // the order of dev.plumb.model.OptimizerSpec.Kind
    long long nesterov;
    long long loss;
    long long layers;
    long long items;      // gradient items
    long long vector;     // elements of a vector in shared memory
    long long units;      // of all layers
    long long columns;    // of a tile
    long long slots;      // rows of a tile, of all blocks of a cluster together
    long long parts;
    long long stride;     // elements between replicas' vectors in global memory
    long long replicas;
    long long data_rows;
    long long at_norms;
    long long at_losses;
    long long at_not_finite;
    long long at_parameters;
    long long at_gradients;
    long long at_partials;  // sums of the segments after the first, or -1 if each is in the segment's own columns of the tile; in a
                            // cluster, the block's share of all segments
    long long at_moment1;
    long long at_moment2;
    long long at_transposed;
    long long at_tile;
    long long at_x;        // the data, or -1 if they stay in global memory
    long long at_targets;
    long long at_steps;    // two entries of the step table
};

// Dropout of a step: a unit's activation is multiplied by 0 if its Philox word is below the threshold, otherwise by the scale.
struct Dropping {
    bool any;
    const FusedPlan* plan;
    long long replica;
    const long long* step;  // the step's number

    // Each element generates all four words of its counter: a thread rarely has four adjacent units of one counter.
    template <typename T>
    __device__ __forceinline__ T factor(int layer, long long element) const {
        Words counter = {(unsigned int)(element / 4), (unsigned int)layer, (unsigned int)*step, (unsigned int)(*step >> 32)};
        Words words = philox(counter, (unsigned long long)plan->dropout_seed + (unsigned long long)replica);
        int place = (int)(element % 4);
        unsigned int word = place == 0 ? words.x : place == 1 ? words.y : place == 2 ? words.z : words.w;
        return (long long)word >= plan->dropout_threshold ? T(plan->dropout_scale) : T(0);
    }
};

// A thread's position: its warp's segment and part, and the layout of the tile.
template <typename T>
struct Seat {
    const FusedLayer* layers;
    int layer_count;
    const T* parameters;
    const T* transposed;
    T* rows;      // the tile, starting at the warp's first row
    int pitch;    // elements between columns
    int part;
    int parts;
    bool active;  // whether the warp has a row

    // Makes the writes of the other lanes, and of the other parts of the warp's rows, visible.
    __device__ __forceinline__ void wait() const {
        if (parts > 1) {
            __syncthreads();
        } else {
            __syncwarp();
        }
    }

    // The number of units that a warp takes at once in a layer of that many units; fewer if otherwise other parts would have none.
    __device__ __forceinline__ int group(int units) const {
        return units > UNITS * parts ? 2 * UNITS : (int)UNITS;
    }
};

// The loss of one row, as the sum over its outputs; replaces outputs z by dLoss/dZ. terms: the divisor of the mean loss, which is the
// number of its terms, or the sum of their weights. weight: the row's weight, used only if WEIGHTED.
template <bool WEIGHTED, typename T>
__device__ __forceinline__ double row_loss(T* z, int pitch, int outputs, const T* targets, int label, int loss, T terms, T weight) {
    if (loss != CROSS_ENTROPY) {
        double sum = 0;
        for (int j = 0; j < outputs; j++) {
            T output = z[j * pitch];
            sum += loss_term(output, targets[j], loss);
            T of_output = loss_term_derivative(output, targets[j], loss) / terms;
            z[j * pitch] = WEIGHTED ? weight * of_output : of_output;
        }
        return WEIGHTED ? (double)weight * sum : sum;
    }
    // The largest z is subtracted, so that nothing overflows. A NaN makes the sum NaN.
    T largest = z[0];
    for (int j = 1; j < outputs; j++) {
        largest = z[j * pitch] > largest ? z[j * pitch] : largest;
    }
    T exponentials = T(0);
    for (int j = 0; j < outputs; j++) {
        exponentials += exp(z[j * pitch] - largest);
    }
    double of_label = (double)z[label * pitch] - (double)largest;
    for (int j = 0; j < outputs; j++) {
        T probability = exp(z[j * pitch] - largest) / exponentials;
        T of_output = (probability - (j == label ? T(1) : T(0))) / terms;
        z[j * pitch] = WEIGHTED ? weight * of_output : of_output;
    }
    double of_row = (double)log(exponentials) - of_label;
    return WEIGHTED ? (double)weight * of_row : of_row;
}
