module plumbline.dev/schemas

go 1.26
