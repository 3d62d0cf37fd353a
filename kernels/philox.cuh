// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 3.3. Ten rounds of two
// multiplications each. Each counter's four words are independent of all others, so any thread can generate any of them.
#pragma once

struct Words {
    unsigned int x, y, z, w;
};

__device__ __forceinline__ Words philox(Words counter, unsigned long long key) {
    unsigned int key0 = (unsigned int)key;
    unsigned int key1 = (unsigned int)(key >> 32);
    for (int round = 0; round < 10; round++) {
        unsigned long long a = 0xD2511F53ull * counter.x;
        unsigned long long b = 0xCD9E8D57ull * counter.z;
        Words next = {(unsigned int)(b >> 32) ^ counter.y ^ key0, (unsigned int)b,
                      (unsigned int)(a >> 32) ^ counter.w ^ key1, (unsigned int)a};
        counter = next;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return counter;
}
