/* A plain model of a few arrays, and operations that are tried on it and on the real one at once: it says whether the real one must take them. */
#ifndef TESTS_UNIT_PLAIN_MODEL_H
#define TESTS_UNIT_PLAIN_MODEL_H 1

#include "tests/unit/model_lab.h"

#define N_VPCS 3
#define N_SUBNETS 6
#define N_PORTS 12
#define N_RTBS 3
#define N_ROUTES 8
#define N_NATGWS 3
#define N_POOLS 3
#define N_EIPS 9

/* What a route leads to, or an elastic IP is attached to; NONE is also a blackhole. */
enum goal_kind { GOAL_NONE, GOAL_PORT, GOAL_NATGW, GOAL_IGW };

struct goal {
    enum goal_kind kind;
    int n;
};

/* The plain model. Objects are slots with fixed names: v0.., s0.., p0.., r0.., n0.., o0.. (pools); all VPCs have 10.0.0.0/16. */
struct plain {
    struct {
        bool is;
    } vpc[N_VPCS];
    struct {
        bool is;
        int vpc, rtb;
        uint32_t first, last;
    } subnet[N_SUBNETS]; /* rtb -1: main */
    struct {
        bool is;
        int subnet;
        uint32_t ip;
    } port[N_PORTS];
    struct {
        bool is;
        int vpc;
    } rtb[N_RTBS];
    struct {
        bool is;
        int rtb, vpc_main;
        struct goal goal;
    } route[N_ROUTES]; /* rtb -1: main of vpc_main */
    struct {
        bool is;
    } igw[N_VPCS];
    struct {
        bool is;
        int subnet;
    } natgw[N_NATGWS];
    struct {
        bool is;
    } pool[N_POOLS];
    struct {
        bool is;
        int pool;
        uint32_t ip;
        struct goal goal;
    } eip[N_EIPS];
};

struct world {
    struct lab lab;
    struct plain plain;
};

#define NET (10u << 24)

/* Each is one operation; a number is an object's slot. True: both have taken it. */
bool vpc_add(struct world *w, int v);
bool vpc_del(struct world *w, int v);
bool subnet_add(struct world *w, int s, int v, uint32_t third, uint32_t len);
bool subnet_del(struct world *w, int s);
bool subnet_set_rtb(struct world *w, int s, int r);
bool port_add(struct world *w, int n, int s, uint32_t offset);
bool port_del(struct world *w, int n);
bool rtb_add(struct world *w, int r, int v);
bool rtb_del(struct world *w, int r);
bool route_add(struct world *w, int n, int r, int v, struct goal goal);
bool route_del(struct world *w, int n);
bool igw_add(struct world *w, int v);
bool igw_del(struct world *w, int v);
bool natgw_add(struct world *w, int n, int s);
bool natgw_del(struct world *w, int n);
bool pool_add(struct world *w, int o);
bool pool_del(struct world *w, int o);
bool eip_add(struct world *w, int n, int o, uint32_t offset);
bool eip_del(struct world *w, int n);
bool eip_attach(struct world *w, int n, struct goal goal, bool may_move);

#endif
