/* What instances.c keeps, for instance_rows.c too; nobody else's. */
#ifndef CONTROLLER_INSTANCE_INSTANCES_PRIVATE_H
#define CONTROLLER_INSTANCE_INSTANCES_PRIVATE_H 1

#include "base/map.h"
#include "controller/instance/instances.h"
#include "controller/instance/sighting.h"

struct instance {
    struct map_node by_id;
    struct uuid id;
    struct sighting *sightings;
};

struct listings;

struct instances {
    struct controller *controller;
    struct map by_id, by_host;
    struct instances_reader *readers;
    struct listings *listings;
};

/* The sighting that stands for it. */
const struct sighting *instance_shown(const struct instance *);

#endif
