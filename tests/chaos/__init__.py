"""`make chaos`: many people send mail while everything around them fails; what each is told is compared with the
truth."""
