// The network as the fused kernels see it, and what a step drops and loses; FusedPlan.java writes the structures.
#pragma once
#include "activation.cuh"
#include "loss.cuh"
#include "philox.cuh"

// Units of a group, at least, and of a lane. Rows of weights are padded to the latter.
enum { UNITS = 8, HALF_UNITS = UNITS / 2 };

// A layer's sizes and places; FusedPlan.java writes it. Places count elements.
struct FusedLayer {
    int in;
    int out;
    int in_padded;       // to HALF_UNITS
    int out_padded;
    int weights;         // in a vector of shared memory: W [out x in_padded], padded with 0
    int bias;            // there too: b [out_padded]
    int transposed;      // W again, as [in x out_padded]: forward reads it this way, backward the other
    int input;           // the first column of what the layer reads
    int delta;           // the first column of dLoss/dZ, and of f'(Z) before
    int first_item;      // of the items of gradients, which are HALF_UNITS units by HALF_UNITS inputs each
    int first_unit;      // units of all layers below
    int global_weights;  // in the replica's vector of global memory: W [out x in]
    int global_bias;
    int activation;
};

// What does not change in a training; FusedPlan.java writes it. Places at_* are bytes of shared memory.
struct FusedPlan {
    double clip_norm;     // 0 for none
    double decay1;        // sgd's momentum, adam's beta1, rmsprop's alpha
    double decay2;        // adam's beta2
    double epsilon;
    double weight_decay;
    double dropout_scale;  // of what is kept; 1 for no dropout
    long long dropout_threshold;
    long long dropout_seed;  // replica 0's
    long long optimizer;  // the order of dev.plumb.model.OptimizerSpec.Kind
    long long nesterov;
    long long loss;
    long long layers;
    long long items;      // of gradients
    long long vector;     // elements of a vector of shared memory
    long long units;      // of all layers
    long long columns;    // of a tile
    long long slots;      // rows of a tile, of all blocks of a cluster together
    long long parts;
    long long stride;     // elements from one replica's vector to the next one's in global memory
    long long replicas;
    long long data_rows;
    long long at_norms;
    long long at_losses;
    long long at_not_finite;
    long long at_parameters;
    long long at_gradients;
    long long at_partials;  // of the segments after the first, or -1 where each has them in its own columns of the tile; in a cluster
                            // of blocks the block's share of all segments
    long long at_moment1;
    long long at_moment2;
    long long at_transposed;
    long long at_tile;
    long long at_x;        // the data, or -1 where they stay in global memory
    long long at_targets;
    long long at_steps;    // two entries of the step table
};

// What a step drops: a unit's activation is multiplied by 0 where its word is below the threshold, else by the scale.
struct Dropping {
    bool any;
    const FusedPlan* plan;
    long long replica;
    const long long* step;  // its number

    // Each element makes the words of four for itself: a thread goes along units, of which rarely four in a row are one counter's.
    template <typename T>
    __device__ __forceinline__ T factor(int layer, long long element) const {
        Words counter = {(unsigned int)(element / 4), (unsigned int)layer, (unsigned int)*step, (unsigned int)(*step >> 32)};
        Words words = philox(counter, (unsigned long long)plan->dropout_seed + (unsigned long long)replica);
        int place = (int)(element % 4);
        unsigned int word = place == 0 ? words.x : place == 1 ? words.y : place == 2 ? words.z : words.w;
        return (long long)word >= plan->dropout_threshold ? T(plan->dropout_scale) : T(0);
    }
};

// Where a thread works.
template <typename T>
struct Seat {
    const FusedLayer* layers;
    int layer_count;
    const T* parameters;
    const T* transposed;
    T* rows;      // of the tile, from the first of the warp's rows on
    int pitch;    // from one column to the next
    int part;
    int parts;
    bool active;  // whether there is a row for the warp

    // Before what other lanes, or other parts of the warp's rows, wrote is read.
    __device__ __forceinline__ void wait() const {
        if (parts > 1) {
            __syncthreads();
        } else {
            __syncwarp();
        }
    }

    // How many units a warp takes at once of a layer that has so many; few, where other parts would have none.
    __device__ __forceinline__ int group(int units) const {
        return units > UNITS * parts ? 2 * UNITS : (int)UNITS;
    }
};

// The loss of one row, the sum over its outputs z, of which it leaves dLoss/dZ. terms: of which the loss is the mean.
template <typename T>
__device__ __forceinline__ double row_loss(T* z, int pitch, int outputs, const T* targets, int label, int loss, T terms) {
    if (loss != CROSS_ENTROPY) {
        double sum = 0;
        for (int j = 0; j < outputs; j++) {
            T output = z[j * pitch];
            sum += loss_term(output, targets[j], loss);
            z[j * pitch] = loss_term_derivative(output, targets[j], loss) / terms;
        }
        return sum;
    }
    // The largest z is taken out, so that nothing overflows. A NaN makes the sum one.
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
        z[j * pitch] = (probability - (j == label ? T(1) : T(0))) / terms;
    }
    return (double)log(exponentials) - of_label;
}
