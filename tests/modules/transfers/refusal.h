/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes functions of the kernel fail, for tests only. refusal.rs calls these.
 */
#ifndef LABYRINTH_TRANSFER_REFUSAL_H
#define LABYRINTH_TRANSFER_REFUSAL_H

/* The functions that can fail. */
#define LABYRINTH_REFUSE_SET		0
#define LABYRINTH_REFUSE_RESET		1
#define LABYRINTH_REFUSE_SHARE		2
#define LABYRINTH_REFUSE_TAKE_BACK	3

/* A function that pretends. */
#define LABYRINTH_PRETEND_HOST		4

int labyrinth_refuse(unsigned int which, int times);
int labyrinth_refusals_left(unsigned int which);
void labyrinth_refuse_no_more(unsigned int which);

#endif /* LABYRINTH_TRANSFER_REFUSAL_H */
