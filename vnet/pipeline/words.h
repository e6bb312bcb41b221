/* Names of objects for explanations, as their tenant knows them. */
#ifndef VNET_PIPELINE_WORDS_H
#define VNET_PIPELINE_WORDS_H 1

#include "vnet/pipeline/feature.h"

struct words {
    char text[160];
};

/* 'web1' in quotes; of an object that is gone, its type and number. */
struct words words_object(const struct view *, enum object_type, uint32_t number);
/* The object of the spec's block. */
struct words words_owner(const struct view *, const struct spec *);

#endif
