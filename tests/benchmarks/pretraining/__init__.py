"""`make bench-pretrain`: does a self-supervised start help a sequence head when labels are few?"""
