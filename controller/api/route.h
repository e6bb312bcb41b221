/* From a request's method and address to the function that answers it: the table of all there are. Addresses and their parameters are a stranger's: what
 * is badly encoded, unknown or given twice is refused here, so that who answers finds only what it knows. */
#ifndef CONTROLLER_API_ROUTE_H
#define CONTROLLER_API_ROUTE_H 1

struct call;

/* A call whose request is there; it ends with its answer. */
void call_dispatch(struct call *);

#endif
