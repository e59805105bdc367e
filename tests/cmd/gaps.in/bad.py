# coding: koi8-r
x = "é"
